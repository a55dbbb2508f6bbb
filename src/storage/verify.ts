import { decodeBlock } from "../raft/codec.js";
import type { Entry, NodeId } from "../raft/types.js";
import { BlockReader } from "./block-reader.js";
import type { Disk, ReadableFile } from "./disk.js";
import type { RecoveredLog } from "./log-storage.js";
import { segmentName } from "./segment.js";
import { Verifier } from "./verifier.js";

/** Worst last. */
export type LogState = "ok" | "torn-tail" | "damaged";

export interface SegmentReport {
	/** Full path. */
	readonly file: string;
	readonly ordinal: number;
	/** Of the entries that its good records hold, those that were replaced since included; null when they hold none. */
	readonly firstIndex: number | null;
	readonly lastIndex: number | null;
	/** The file's size; 0 for one that is missing. */
	readonly bytes: number;
	/** torn-tail: a write that a crash cut short; the next start cuts it off. */
	readonly state: LogState;
	/** Where it is torn or damaged; null when it is neither. */
	readonly offset: number | null;
	/** What is wrong, or worth knowing, as the rest of a sentence. */
	readonly what: string | null;
}

export interface LogReport {
	/** The worst of all that was found; none: there is no log. */
	readonly state: LogState | "none";
	/** As log.json says; null when it does not. */
	readonly clusterId: string | null;
	readonly nodeId: NodeId | null;
	/** What is wrong with log.json; null when nothing is, or when there is no log. */
	readonly marker: string | null;
	/** Those of the log, in order. One that is missing is among them; of several in a row, the first. */
	readonly segments: readonly SegmentReport[];
	/** Files that the next start removes: half made, or no longer part of the log. */
	readonly leftovers: readonly string[];
	/** These say what the log holds up to the first damage. Null when it holds no entry. */
	readonly firstIndex: number | null;
	readonly lastIndex: number | null;
	/** As in the newest hard state. */
	readonly term: number;
	readonly votedFor: NodeId | null;
	readonly commit: number;
	/** Those that count; not those that were replaced. */
	readonly entries: number;
}

export interface LogToVerify {
	/** The log's own directory. */
	readonly directory: string;
	readonly disk: Disk;
	/** Whose log it must be, as a start knows; without it log.json says whose it is. */
	readonly owner?: { readonly clusterId: string; readonly nodeId: NodeId };
}

/**
 * Reads a log without changing anything and without permission to write.
 * Says what is there and what is damaged, by the rules of docs/formats.md; damage never makes it throw, a disk that
 * cannot be read does. Meant for a node that is down: of one that runs, the last write may look torn.
 */
export function verifyLog(log: LogToVerify): LogReport {
	return new Verifier(log).run();
}

/** A log that was read once, and of which nothing was changed. */
export interface ReadLog {
	readonly report: LogReport;
	/** What a start would find; after damage, what is before it. */
	readonly recovered: RecoveredLog;
	/**
	 * Those from `first` to `last` that are there, in order; after damage only those before it. Throws an OperatorError
	 * when entries change while they are read.
	 */
	entries(first?: number, last?: number): Generator<Entry>;
}

/** As `verifyLog`, and gives its entries afterwards, piece by piece. */
export function readLog(log: LogToVerify): ReadLog {
	const verifier = new Verifier(log);
	const report = verifier.run();
	const { blocks, hardState, resetTerm, terms, configurations } =
		verifier.replay;
	const { firstIndex, lastIndex } = blocks;
	return {
		report,
		recovered: {
			...{ hardState, firstIndex, lastIndex, resetTerm, terms, configurations },
			repaired: null,
		},
		entries: (first = firstIndex, last = lastIndex) =>
			entriesOf(log, verifier, {
				nodeId: report.nodeId ?? "unknown",
				first: Math.max(first, firstIndex),
				last: Math.min(last, lastIndex),
			}),
	};
}

/** The entries of a log, in order, as the node would find them; see `ReadLog`. */
export function* readEntries(log: LogToVerify): Generator<Entry> {
	yield* readLog(log).entries();
}

function* entriesOf(
	{ directory, disk }: LogToVerify,
	verifier: Verifier,
	wanted: {
		readonly nodeId: NodeId;
		readonly first: number;
		readonly last: number;
	},
): Generator<Entry> {
	const files = new Map<number, ReadableFile>();
	const reader = new BlockReader({
		...{ directory, nodeId: wanted.nodeId, blocks: verifier.replay.blocks },
		segment: (ordinal) => {
			const name = segmentName(ordinal);
			const file =
				files.get(ordinal) ?? disk.openReadOnly(`${directory}/${name}`);
			files.set(ordinal, file);
			return { name, file, seed: verifier.seeds.get(ordinal) as number };
		},
	});
	try {
		for (let next = wanted.first; next <= wanted.last; ) {
			const entries = decodeBlock(reader.read(next, wanted.last, readBytes));
			yield* entries;
			next += entries.length;
		}
	} finally {
		for (const file of files.values()) file.close();
	}
}

const readBytes = 1024 * 1024;
