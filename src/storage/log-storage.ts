import type { Entry, HardState, TermRange } from "../raft/types.js";

/** Where a log begins anew: behind the entry of this index and term, which a snapshot stands for. */
export interface LogReset {
	readonly index: number;
	readonly term: number;
}

/** One unit for the disk: what the core's `Write` says, its entries encoded once by the driver (raft/codec.ts). */
export interface WriteBatch {
	readonly sequence: number;
	readonly hardState: HardState | null;
	/** First of all the log is emptied and begins anew behind this index; a durable snapshot stands for what was before. */
	readonly reset: LogReset | null;
	/** 0 when there are no entries. The log is cut before it, then the block is appended. */
	readonly firstIndex: number;
	readonly lastIndex: number;
	/** Entries firstIndex..lastIndex as `encodeBlock` lays them out, in one or several pieces; none without entries. */
	readonly blocks: readonly Uint8Array[];
	readonly sync: boolean;
}

/** What was found at open. */
export interface RecoveredLog {
	readonly hardState: HardState;
	/** Of the first entry that the log still holds; lastIndex + 1 when it holds none. */
	readonly firstIndex: number;
	/** 0 for a log that is empty and was never reset; after a reset at least its index. */
	readonly lastIndex: number;
	/** The term of lastIndex when the log was reset and holds no entry since; else 0. */
	readonly resetTerm: number;
	readonly terms: readonly TermRange[];
	/** Every entry of kind configuration. */
	readonly configurations: readonly Entry[];
	/** A torn tail that was cut off: never acknowledged, worth a log line. */
	readonly repaired: {
		readonly file: string;
		readonly offset: number;
		readonly bytes: number;
	} | null;
}

/** The log on disk. One owner; writes are durable in the order in which they were handed in. */
export interface LogStorage {
	/** Returns at once; `onDurable` follows, in order, possibly once for several (then with the last sequence). */
	append(batch: WriteBatch): void;
	/** Entries from `first` on, at most to `last`, at least one, at most about `maxBytes`. */
	read(first: number, last: number, maxBytes: number): Promise<Entry[]>;
	/**
	 * Entries up to `index` are no longer needed, as a durable snapshot stands for them: whole segments before it are
	 * removed, in order with the writes that were handed in. Returns at once; an index that is gone already is no mistake.
	 */
	compact(index: number): void;
	/** Milliseconds for which the oldest write under way has been waiting; 0 when there is none. */
	pendingMs(): number;
	stats(): LogStorageStats;
	/** Waits for what was handed in, then releases everything. */
	close(): Promise<void>;
}

export interface LogStorageStats {
	readonly syncs: number;
	readonly syncMaxMs: number;
	readonly syncTotalMs: number;
	readonly bytesWritten: number;
	readonly segments: number;
	/** Of the files on disk, preallocated room included. */
	readonly bytesHeld: number;
	/** Of the oldest entry that is still held. */
	readonly firstIndex: number;
}

export interface LogStorageEvents {
	onDurable(sequence: number): void;
	/** A write or fsync failed: nothing was or will be acknowledged again; the process must end (P11). */
	onFailure(error: Error): void;
}
