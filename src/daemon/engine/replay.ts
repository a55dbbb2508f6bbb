import { bootstrapEntries, bootstrapHardState } from "../../raft/bootstrap.js";
import {
	blockBytes,
	decodeConfiguration,
	encodeBlock,
} from "../../raft/codec.js";
import type { Configuration, Entry, Restored } from "../../raft/types.js";
import type { LogStorage, RecoveredLog } from "../../storage/log-storage.js";
import type { ReplicatedState } from "./replicated-state.js";

const readBytes = 4 * 1024 * 1024;

/** What the log holds after it was founded, for a node that had none. */
export function foundLog(
	log: LogStorage,
	initial: Configuration,
): RecoveredLog {
	const entries = bootstrapEntries(initial);
	const block = new Uint8Array(blockBytes(entries));
	encodeBlock(entries, block, 0);
	log.append({
		sequence: 0,
		hardState: bootstrapHardState,
		firstIndex: 1,
		lastIndex: entries.length,
		block,
		sync: true,
	});
	return {
		hardState: bootstrapHardState,
		lastIndex: entries.length,
		terms: [{ term: bootstrapHardState.term, first: 1 }],
		configurations: entries,
		repaired: null,
	};
}

/**
 * Brings the state machine to the commit index that the log knows, and gives the core what it starts from. A state that
 * fails on the way stays where it is: the node starts, and says so.
 */
export async function restore(
	log: LogStorage,
	recovered: RecoveredLog,
	state: ReplicatedState,
): Promise<Restored> {
	const { hardState, lastIndex, terms } = recovered;
	const commit = Math.min(hardState.commit, lastIndex);
	await eachEntry(log, { first: 1, last: commit }, (entry) =>
		state.apply(entry),
	);
	const tail: Entry[] = [];
	await eachEntry(log, { first: commit + 1, last: lastIndex }, (entry) =>
		tail.push(entry),
	);
	return {
		hardState,
		lastIndex,
		terms,
		configurations: recovered.configurations.map(({ index, data }) => ({
			index,
			configuration: decodeConfiguration(data),
		})),
		tail,
		applied: state.applied,
	};
}

async function eachEntry(
	log: LogStorage,
	range: { readonly first: number; readonly last: number },
	take: (entry: Entry) => void,
): Promise<void> {
	let next = range.first;
	while (next <= range.last) {
		const entries = await log.read(next, range.last, readBytes);
		for (const entry of entries) take(entry);
		if (entries.length === 0)
			throw new Error(`invariant: the log has no entry ${next}`);
		next += entries.length;
	}
}
