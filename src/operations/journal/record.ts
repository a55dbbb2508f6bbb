import type { StoredOperation } from "../../cluster/engine.js";
import { type ErrorKind, OperatorError } from "../../errors.js";
import type { CanaryWish } from "../canary/wish.js";
import type { PlannedStep } from "../events.js";

/** The newest layout that this release reads and the one that it writes. */
export const recordVersion = 1;

/**
 * running: by whoever holds the lock; without one it was killed. paused: at a step boundary, by wish. stopped: it failed
 * or was interrupted. The others are finished: failed is one that left nothing to take up, lapsed one that was killed and
 * left nothing either, closed by whoever came next.
 */
export type OperationState =
	| "running"
	| "paused"
	| "stopped"
	| "done"
	| "aborted"
	| "failed"
	| "lapsed";

/** An operation as the journal keeps it, from before its first step on. What resume needs is here and in the world. */
export interface OperationRecord {
	readonly version: number;
	readonly id: string;
	/** The name that the catalogue knows it by: "replace-node". */
	readonly operation: string;
	/** As the user would have typed it, the checks left out included; for people. */
	readonly text: string;
	/** Everything that decides what it does, as JSON. */
	readonly arguments: object;
	/** What the world was like before the first step, where that cannot be seen afterwards. */
	readonly memo: object;
	readonly skip: readonly string[];
	/** Half done it ends by itself, so that nobody has to take it up. */
	readonly lapses?: true;
	/** Whoever resumes is held to the same budgets; null or absent for no canary. */
	readonly canary?: CanaryWish | null;
	readonly state: OperationState;
	/** Who began it, and who resumed or aborted it; the last one has it in hand. */
	readonly attempts: readonly Attempt[];
	readonly plan: readonly PlannedStep[];
	/** Ids of steps that came to their end, in order; a step of a resumed operation may be there twice. */
	readonly finished: readonly string[];
	/** Ids of steps that had nothing to do; absent in records of older releases. */
	readonly skipped?: readonly string[];
	/** The step under way, or the one at which it ended. */
	readonly step: string | null;
	readonly error: { readonly kind: ErrorKind; readonly message: string } | null;
	/** What it did cost, once it is finished; as its report says it. */
	readonly report: object | null;
}

export interface Attempt {
	readonly as: "begin" | "resume" | "abort";
	/** user@host:pid */
	readonly holder: string;
	readonly host: string;
	/** Milliseconds since the Unix epoch, by that host's clock. */
	readonly atMs: number;
	/** Of raftctl. */
	readonly release: string;
	/** Where raftctl keeps on that host what it writes; absent in records of older releases. */
	readonly stateDirectory?: string;
}

export function isUnfinished({
	state,
}: Pick<OperationRecord, "state">): boolean {
	return state === "running" || state === "paused" || state === "stopped";
}

/** Throws OperatorError "refused" for a record of a newer raftctl: guessing what it meant could do harm. */
export function parseRecord({ id, record }: StoredOperation): OperationRecord {
	let parsed: unknown;
	try {
		parsed = JSON.parse(record);
	} catch (cause) {
		throw unreadable(id, "it is not JSON", cause);
	}
	const version = versionOf(parsed);
	if (version === null) throw unreadable(id, "it has no version");
	if (version > recordVersion)
		throw new OperatorError(
			"refused",
			`operation ${id} was recorded by a newer raftctl (version ${version} of the journal; this one reads ${recordVersion})`,
			{
				state: "nothing was touched",
				next: "use the raftctl that began it, or a newer one",
			},
		);
	return parsed as OperationRecord;
}

function versionOf(value: unknown): number | null {
	if (typeof value !== "object" || value === null) return null;
	const { version } = value as { version?: unknown };
	return typeof version === "number" && Number.isSafeInteger(version)
		? version
		: null;
}

function unreadable(id: string, why: string, cause?: unknown): OperatorError {
	return new OperatorError(
		"refused",
		`the record of operation ${id} cannot be read: ${why}`,
		{ state: "nothing was touched", cause },
	);
}
