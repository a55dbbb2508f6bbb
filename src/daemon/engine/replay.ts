import { OperatorError } from "../../errors.js";
import { bootstrapEntries, bootstrapHardState } from "../../raft/bootstrap.js";
import {
	blockBytes,
	decodeConfiguration,
	encodeBlock,
} from "../../raft/codec.js";
import type {
	Configuration,
	Entry,
	Restored,
	SnapshotPoint,
	TermRange,
} from "../../raft/types.js";
import type { LogStorage, RecoveredLog } from "../../storage/log-storage.js";
import type { ReplicatedState } from "./replicated-state.js";

const readBytes = 2 * 1024 * 1024;

/** What the log holds after it was founded, for a node that had none. */
export function foundLog(
	log: LogStorage,
	initial: Configuration,
): RecoveredLog {
	const entries = bootstrapEntries(initial);
	const block = new Uint8Array(blockBytes(entries));
	encodeBlock(entries, block, 0);
	log.append({
		...{ sequence: 0, hardState: bootstrapHardState, reset: null },
		...{
			firstIndex: 1,
			lastIndex: entries.length,
			blocks: [block],
			sync: true,
		},
	});
	return {
		hardState: bootstrapHardState,
		firstIndex: 1,
		lastIndex: entries.length,
		resetTerm: 0,
		terms: [{ term: bootstrapHardState.term, first: 1 }],
		configurations: entries,
		repaired: null,
	};
}

/** How a log and the newest snapshot beside it belong together. */
export type Alignment =
	/** The log goes on from the snapshot, or reaches back behind it. */
	| "fits"
	/** A crash came between the snapshot, which is durable, and the log's reset to it (P17). */
	| "reset"
	/** Entries are missing between the two, or the log says otherwise about what is committed. */
	| "damaged";

/** Pure. A snapshot holds only what is committed, so a log that contradicts it has nothing to keep (P45). */
export function alignmentOf(
	recovered: Pick<
		RecoveredLog,
		"firstIndex" | "lastIndex" | "hardState" | "terms"
	>,
	snapshot: SnapshotPoint | null,
): Alignment {
	const { firstIndex, lastIndex, hardState, terms } = recovered;
	if (snapshot === null) return firstIndex === 1 ? "fits" : "damaged";
	const { index, term } = snapshot;
	if (firstIndex > index + 1) return "damaged";
	if (lastIndex < index) return "reset";
	if (firstIndex === index + 1 || termOf(terms, index) === term) return "fits";
	return hardState.commit >= index ? "damaged" : "reset";
}

function termOf(terms: readonly TermRange[], index: number): number | null {
	return terms.findLast(({ first }) => first <= index)?.term ?? null;
}

/** The log after it was emptied: it goes on behind the snapshot. */
export function resetLog(
	log: LogStorage,
	{ hardState }: RecoveredLog,
	{ index, term }: SnapshotPoint,
): RecoveredLog {
	const { votedFor } = hardState;
	const moved = { term: Math.max(hardState.term, term), votedFor };
	const after = {
		...moved,
		// A vote belongs to its term.
		votedFor: moved.term === hardState.term ? votedFor : null,
		commit: index,
	};
	log.append({
		...{ sequence: 0, hardState: after, reset: { index, term } },
		...{ firstIndex: 0, lastIndex: 0, blocks: [], sync: true },
	});
	return {
		...{ hardState: after, firstIndex: index + 1, lastIndex: index },
		...{ resetTerm: term, terms: [], configurations: [], repaired: null },
	};
}

/** Why the node cannot start from what is on its disk. */
export function misaligned(
	{ firstIndex }: RecoveredLog,
	snapshot: SnapshotPoint | null,
	node: string,
): OperatorError {
	const what =
		snapshot === null
			? `the log begins at index ${firstIndex}, and there is no snapshot that can be used for what was before`
			: `the log and the snapshot at index ${snapshot.index} do not belong together: the log begins at ${firstIndex}`;
	return new OperatorError("refused", what, {
		node,
		state: "the node has not started and nothing was changed",
		next: `check the data directory (raftctl doctor --data-dir); if a snapshot was removed by hand, put it back; else remove the node, empty its data directory and add it as a new member`,
	});
}

/**
 * Brings the state machine, which stands at the snapshot, to the commit index that the log knows, and gives the core
 * what it starts from. A state that fails on the way stays where it is: the node starts, and says so.
 */
export async function restore(
	log: LogStorage,
	known: {
		readonly recovered: RecoveredLog;
		readonly snapshot: SnapshotPoint | null;
	},
	state: ReplicatedState,
): Promise<Restored> {
	const { recovered, snapshot } = known;
	const { hardState, lastIndex, terms } = recovered;
	const commit = Math.max(
		Math.min(hardState.commit, lastIndex),
		snapshot?.index ?? 0,
	);
	await eachEntry(log, { first: state.applied + 1, last: commit }, (entry) =>
		state.apply(entry),
	);
	const tail: Entry[] = [];
	await eachEntry(log, { first: commit + 1, last: lastIndex }, (entry) =>
		tail.push(entry),
	);
	return {
		...{ hardState, lastIndex, terms, snapshot },
		configurations: recovered.configurations.map(({ index, data }) => ({
			index,
			configuration: decodeConfiguration(data),
		})),
		tail,
		applied: state.applied,
	};
}

/** What comes next is read by the log's thread while this one takes what is there. */
async function eachEntry(
	log: LogStorage,
	{ first, last }: { readonly first: number; readonly last: number },
	take: (entry: Entry) => void,
): Promise<void> {
	let next = first;
	let reading = readFrom(log, next, last);
	while (next <= last) {
		const entries = await reading;
		if (entries.length === 0)
			throw new Error(`invariant: the log has no entry ${next}`);
		next += entries.length;
		reading = readFrom(log, next, last);
		for (const entry of entries) take(entry);
		// What was read meanwhile would follow at once, and the event loop stand still until all is replayed (P68).
		await new Promise((resolve) => setImmediate(resolve));
	}
}

/** Fails where it is awaited, and nowhere before. */
function readFrom(
	log: LogStorage,
	first: number,
	last: number,
): Promise<Entry[]> {
	if (first > last) return Promise.resolve([]);
	const reading = log.read(first, last, readBytes);
	reading.catch(() => {});
	return reading;
}
