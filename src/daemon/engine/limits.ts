import { OperatorError } from "../../errors.js";
import { maxPeerCommandBytes } from "../../wire/peer-frames.js";
import { unlimitedPerSecond } from "./token-buckets.js";

/** What bounds this node's memory and the latency of what it has accepted; `limits` in the node's configuration. */
export interface Limits {
	/** A longer command is refused. */
	readonly maxCommandBytes: number;
	/** Commands accepted and not answered: beyond these, new ones are refused at once. */
	readonly maxPendingCommands: number;
	readonly maxPendingBytes: number;
	/** The share of one connection, so that one cannot take all. */
	readonly maxPendingPerClient: number;
	/** What a command may wait beyond the time that it takes without a queue; more than can be done in it is refused. */
	readonly maxQueueWaitMs: number;
	/** So many commands may wait for however long. */
	readonly minPendingCommands: number;
	/** Of one connection; 1000000 and more is no limit. */
	readonly maxCommandsPerSecondPerClient: number;
	readonly maxCommandBurstPerClient: number;
	readonly maxPendingReads: number;
	readonly maxPendingReadBytes: number;
	/** Committed and not applied yet: beyond, new commands are refused (P57). */
	readonly maxApplyLagBytes: number;
	/** Events kept for subscribers that come back. */
	readonly maxEvents: number;
	readonly maxEventBytes: number;
	/** Waiting to be sent to one peer: beyond, the link is dropped. */
	readonly maxPeerQueueBytes: number;
	/** Entries in one message to a follower. */
	readonly maxMessageBytes: number;
	readonly maxInflightMessages: number;
	readonly maxInflightBytes: number;
	/** Entries in the log that are not committed yet (P56). */
	readonly maxUncommittedBytes: number;
	/** Entries kept in memory for followers that lag. */
	readonly windowBytes: number;
	/** A snapshot is taken after so many entries, or bytes of entries, since the last one. */
	readonly snapshotEntries: number;
	readonly snapshotLogBytes: number;
	/** Kept for followers that lag: beyond, they get a snapshot instead (P47). */
	readonly maxLogBytes: number;
	/** How fast a snapshot is taken, and how fast it is sent. */
	readonly maxSnapshotBytesPerSecond: number;
	/** The log's files. */
	readonly segmentBytes: number;
	/** How long a stopping node waits for what it has accepted. */
	readonly closeTimeoutMs: number;
}

const mebibyte = 1024 * 1024;

export const defaultLimits: Limits = {
	maxCommandBytes: 2 * mebibyte,
	maxPendingCommands: 16_384,
	maxPendingBytes: 64 * mebibyte,
	maxPendingPerClient: 4096,
	maxQueueWaitMs: 50,
	minPendingCommands: 1024,
	maxCommandsPerSecondPerClient: unlimitedPerSecond,
	maxCommandBurstPerClient: 1000,
	maxPendingReads: 16_384,
	maxPendingReadBytes: 64 * mebibyte,
	maxApplyLagBytes: 64 * mebibyte,
	maxEvents: 100_000,
	maxEventBytes: 64 * mebibyte,
	maxPeerQueueBytes: 64 * mebibyte,
	maxMessageBytes: mebibyte / 4,
	maxInflightMessages: 64,
	maxInflightBytes: 8 * mebibyte,
	maxUncommittedBytes: 64 * mebibyte,
	windowBytes: 16 * mebibyte,
	snapshotEntries: 500_000,
	snapshotLogBytes: 128 * mebibyte,
	maxLogBytes: 1024 * mebibyte,
	maxSnapshotBytesPerSecond: 64 * mebibyte,
	segmentBytes: 64 * mebibyte,
	closeTimeoutMs: 2000,
};

/** The defaults with what is configured on top. Throws OperatorError for a name or value that makes no sense. */
export function limitsFrom(
	configured: Readonly<Record<string, number>>,
): Limits {
	const problems = Object.entries(configured).flatMap(([name, value]) => {
		if (!Object.hasOwn(defaultLimits, name))
			return `limits.${name} is unknown; there are ${Object.keys(defaultLimits).join(", ")}`;
		return Number.isSafeInteger(value) && value > 0
			? []
			: `limits.${name} is ${value}, not a whole number above 0`;
	});
	const limits = { ...defaultLimits, ...configured };
	if (limits.maxCommandBytes > maxPeerCommandBytes)
		problems.push(
			`limits.maxCommandBytes is ${limits.maxCommandBytes}; a message between nodes holds at most ${maxPeerCommandBytes}`,
		);
	if (limits.maxMessageBytes > maxPeerCommandBytes)
		problems.push(
			`limits.maxMessageBytes is ${limits.maxMessageBytes}; a message between nodes holds at most ${maxPeerCommandBytes}`,
		);
	if (problems.length === 0) return limits;
	throw new OperatorError("config", "the node's limits have mistakes", {
		problems,
		state: "the node did not start",
		next: "correct limits in the node's configuration",
	});
}
