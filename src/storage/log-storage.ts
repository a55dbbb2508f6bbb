import type { Entry, HardState, TermRange } from "../raft/types.js";

/** One unit for the disk: what the core's `Write` says, its entries encoded once by the driver (raft/codec.ts). */
export interface WriteBatch {
	readonly sequence: number;
	readonly hardState: HardState | null;
	/** 0 when there are no entries. The log is cut before it, then the block is appended. */
	readonly firstIndex: number;
	readonly lastIndex: number;
	/** Entries firstIndex..lastIndex as `encodeBlock` lays them out; empty when there are none. */
	readonly block: Uint8Array;
	readonly sync: boolean;
}

/** What was found at open. */
export interface RecoveredLog {
	readonly hardState: HardState;
	/** 0 for an empty log. */
	readonly lastIndex: number;
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
}

export interface LogStorageEvents {
	onDurable(sequence: number): void;
	/** A write or fsync failed: nothing was or will be acknowledged again; the process must end (P11). */
	onFailure(error: Error): void;
}
