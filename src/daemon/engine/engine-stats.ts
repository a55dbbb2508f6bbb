import type { LogStorageStats } from "../../storage/log-storage.js";
import type { PeerCounters } from "../peers/peer-events.js";
import type { ReadCounters } from "./reads.js";
import type { SnapshotCounters } from "./snapshots/snapshots.js";

/** What the engine has counted since the start of the process. */
export interface EngineStats extends EngineCounters {
	readonly peers: Readonly<PeerCounters> & {
		readonly bytesSent: number;
		readonly bytesRead: number;
		readonly bytesQueued: number;
	};
	readonly log: LogStorageStats;
	readonly events: {
		readonly subscribers: number;
		readonly oldestIndex: number;
	};
	/** Ranges of entries that were encoded: at best one for each write, whatever the number of followers. */
	readonly blocksEncoded: number;
}

export interface EngineCounters
	extends CommandCounters,
		ReadCounters,
		SnapshotCounters {
	/** Passes of the driver's loop, and writes handed to the disk by them. */
	turns: number;
	writes: number;
	applied: number;
	/** How often this node has become leader. */
	leaderships: number;
	/** Entries read back from the disk for followers that lag. */
	fetches: number;
}

export function zeroCounters(): EngineCounters {
	return {
		proposals: 0,
		batches: 0,
		forwardedOut: 0,
		forwardedIn: 0,
		retried: 0,
		overloaded: 0,
		unknown: 0,
		reads: 0,
		readRounds: 0,
		readsUnconfirmed: 0,
		leaseReads: 0,
		snapshotsTaken: 0,
		snapshotsFailed: 0,
		snapshotsInstalled: 0,
		snapshotFetchesFailed: 0,
		turns: 0,
		writes: 0,
		applied: 0,
		leaderships: 0,
		fetches: 0,
	};
}

export interface CommandCounters {
	/** Commands appended by this node as leader, and the proposals that carried them. */
	proposals: number;
	batches: number;
	forwardedOut: number;
	forwardedIn: number;
	/** Sent back by a leader that could not take them, and asked again. */
	retried: number;
	overloaded: number;
	unknown: number;
}
