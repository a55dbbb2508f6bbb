import { z } from "zod";
import { nearest } from "../documents/nearest.js";

const mebibyte = 1024 * 1024;

/** raftd's own (docs/raftd.md): the largest value of each, as far as it has one. */
const largest: Readonly<Record<string, number>> = {
	maxCommandBytes: 8 * mebibyte,
	maxPendingCommands: Infinity,
	maxPendingBytes: Infinity,
	maxPendingPerClient: Infinity,
	maxQueueWaitMs: Infinity,
	minPendingCommands: Infinity,
	maxCommandsPerSecondPerClient: Infinity,
	maxCommandBurstPerClient: Infinity,
	maxPendingReads: Infinity,
	maxPendingReadBytes: Infinity,
	maxApplyLagBytes: Infinity,
	maxEvents: Infinity,
	maxEventBytes: Infinity,
	maxPeerQueueBytes: Infinity,
	maxMessageBytes: 8 * mebibyte,
	maxInflightMessages: Infinity,
	maxInflightBytes: Infinity,
	maxUncommittedBytes: Infinity,
	windowBytes: Infinity,
	snapshotEntries: Infinity,
	snapshotLogBytes: Infinity,
	maxLogBytes: Infinity,
	maxSnapshotBytesPerSecond: Infinity,
	segmentBytes: Infinity,
	closeTimeoutMs: Infinity,
};

export const limitNames: readonly string[] = Object.keys(largest);

/** A node refuses to start with a limit that it does not know: better to hear of it here, with its place. */
export const limits = z
	.record(z.string(), z.number().int().positive())
	.superRefine((given, context) => {
		for (const [name, value] of Object.entries(given)) {
			const message = limitFault(name, value);
			if (message === null) continue;
			context.addIssue({ code: "custom", path: [name], message });
		}
	});

function limitFault(name: string, value: number): string | null {
	if (!Object.hasOwn(largest, name)) {
		const meant = nearest(name, limitNames);
		return `is no limit of a node${meant === null ? "" : `; did you mean ${meant}?`}`;
	}
	const most = largest[name] ?? Infinity;
	return value > most ? `must be at most ${most}` : null;
}

export const log = z.strictObject({
	level: z
		.enum(["debug", "info", "warn", "error"])
		.default("info")
		.describe("From which level on the nodes write into their logs."),
});
