import { join } from "node:path";
import { OperatorError } from "../../errors.js";
import type { SnapshotSchedule } from "../../machines/control.js";
import { snapshotName } from "../../storage/snapshots/place.js";
import type { SnapshotFile } from "../../storage/snapshots/snapshot-store.js";
import type { SnapshotOutcome } from "../replica.js";
import type { Copied } from "./copy.js";
import type { CopyOwner } from "./copy-names.js";
import type { S3Credentials } from "./s3-bucket.js";
import type { Work } from "./work.js";

export interface RoundOptions {
	readonly owner: CopyOwner;
	readonly schedule: SnapshotSchedule;
	/** Where this node's own snapshots lie. */
	readonly snapshotsDirectory: string;
	readonly maxBytesPerSecond: number;
	/** What the command finds in its environment, besides what is said of the snapshot. */
	readonly environment: Readonly<Record<string, string | undefined>>;
	takeSnapshot(done: (outcome: SnapshotOutcome) => void): void;
	openSnapshot(index: number): Promise<SnapshotFile | null>;
	credentials(): Promise<S3Credentials>;
	/** PEM of whoever vouches for the endpoint; null for the public authorities. */
	authority(): Promise<string | null>;
	work(work: Work, signal: AbortSignal): Promise<Copied | null>;
	/** Rejects when a quorum does not confirm that this node still leads. */
	confirm(): Promise<void>;
}

export interface RoundResult extends Copied {
	readonly index: number;
}

const leastHookLimitMs = 60_000;
const mostHookLimitMs = 15 * 60_000;

/** A command may take as long as the schedule's interval, within bounds. */
export function hookLimitMs(intervalMs: number): number {
	return Math.min(mostHookLimitMs, Math.max(leastHookLimitMs, intervalMs));
}

/**
 * One snapshot of the schedule: taken, copied, handed to the command, uploaded. Rejects with a sentence, or with the
 * signal's reason. Before everything that is seen from outside, a quorum confirms that this node leads: a leader that was
 * deposed in between begins nothing more.
 */
export async function takeScheduled(
	options: RoundOptions,
	signal: AbortSignal,
): Promise<RoundResult> {
	const { schedule, confirm, work } = options;
	await confirm();
	const index = await taken(options, signal);
	const copied = await copy(options, index, signal);
	if (schedule.command.length > 0) {
		await confirm();
		await work(
			{ kind: "hook", order: hookOrder(options, index, copied) },
			signal,
		);
	}
	if (schedule.s3 !== null) {
		const credentials = await options.credentials();
		const authority = await options.authority();
		await confirm();
		await work(
			{
				kind: "upload",
				order: {
					...{ owner: options.owner, index, file: copied.file, credentials },
					...{ keep: schedule.keep, target: schedule.s3 },
					...{ authority, maxBytesPerSecond: options.maxBytesPerSecond },
				},
			},
			signal,
		);
	}
	return { ...copied, index };
}

/** One that is given up goes on, and is the node's own. */
async function taken(
	{ takeSnapshot, owner }: RoundOptions,
	signal: AbortSignal,
): Promise<number> {
	const outcome = await new Promise<SnapshotOutcome>((resolve, reject) => {
		signal.addEventListener("abort", () => reject(signal.reason), {
			once: true,
		});
		takeSnapshot(resolve);
	});
	if (outcome.kind === "taken") return outcome.index;
	throw fault(`${owner.node} could not take a snapshot: ${outcome.message}`);
}

async function copy(
	options: RoundOptions,
	index: number,
	signal: AbortSignal,
): Promise<Copied> {
	const { owner, schedule, maxBytesPerSecond } = options;
	// Held open, it is not removed while it is copied.
	const file = await options.openSnapshot(index);
	if (file === null)
		throw fault(`the snapshot at ${index} on ${owner.node} is gone again`);
	try {
		await options.confirm();
		const source = join(
			options.snapshotsDirectory,
			snapshotName(index, file.manifest.id),
		);
		const { directory, keep } = schedule;
		const copied = await options.work(
			{
				kind: "copy",
				order: { owner, source, index, directory, keep, maxBytesPerSecond },
			},
			signal,
		);
		if (copied === null) throw new Error("invariant: a copy without a file");
		return copied;
	} finally {
		await file.close();
	}
}

function hookOrder(
	{ owner, schedule, environment }: RoundOptions,
	index: number,
	{ file }: Copied,
) {
	const inherited = Object.entries(environment).filter(
		(entry): entry is [string, string] => entry[1] !== undefined,
	);
	return {
		node: owner.node,
		command: schedule.command,
		directory: schedule.directory,
		limitMs: hookLimitMs(schedule.intervalMs),
		environment: {
			...Object.fromEntries(inherited),
			RAFTCTL_SNAPSHOT: file,
			RAFTCTL_CLUSTER: owner.cluster,
			RAFTCTL_INDEX: String(index),
		},
	};
}

function fault(message: string): OperatorError {
	return new OperatorError("unexpected", message);
}
