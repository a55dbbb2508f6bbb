import { exitCodes } from "../../errors.js";
import type { LogReport } from "../../storage/verify.js";
import type { Alignment } from "../engine/replay.js";
import type { Identity } from "../identity.js";

/**
 * repairable: a start deals with it by itself, and nothing that was acknowledged is lost. later-release: nothing is
 * known to be wrong, but this release cannot read it. damaged: raftd refuses to start, or starts with less than it had.
 */
export type Severity = "repairable" | "later-release" | "damaged";

export interface Problem {
	readonly severity: Severity;
	/** Full path. */
	readonly file: string;
	/** In bytes; null when it is about the whole file. */
	readonly offset: number | null;
	/** In the log: the last index before it. Of a snapshot: its own. Null when there is none. */
	readonly index: number | null;
	/** Each of these is a sentence without a full stop. */
	readonly what: string;
	readonly means: string;
	readonly next: string;
}

export interface SnapshotReport {
	/** Full path. */
	readonly file: string;
	readonly state: "ok" | "unusable" | "later-release";
	/** What it says of itself; null when that is damaged. */
	readonly manifest: {
		readonly index: number;
		readonly term: number;
		readonly machine: string;
		readonly level: number;
		readonly release: string;
		readonly createdAtMs: number;
		readonly fileBytes: number;
	} | null;
}

/** What `raftd doctor --json` prints (docs/raftd.md). */
export interface DoctorReport {
	readonly version: 1;
	/** Absolute. */
	readonly directory: string;
	readonly verdict: "healthy" | Severity;
	/** False while a process uses the directory: then the log was not read. */
	readonly complete: boolean;
	/** That process, in words. */
	readonly holder: string | null;
	readonly identity: (Identity & { readonly logStarted: boolean }) | null;
	readonly wal: LogReport | null;
	/** Newest first. */
	readonly snapshots: readonly SnapshotReport[];
	/** How the log and the newest snapshot that can be used belong together; null when one of them cannot be told. */
	readonly alignment: Alignment | null;
	readonly problems: readonly Problem[];
	/** Worth knowing, and no problem. */
	readonly notes: readonly string[];
}

const worstFirst: readonly Severity[] = [
	"damaged",
	"later-release",
	"repairable",
];

export function verdictOf(
	problems: readonly Problem[],
): DoctorReport["verdict"] {
	return (
		worstFirst.find((severity) =>
			problems.some((problem) => problem.severity === severity),
		) ?? "healthy"
	);
}

/** Never 0 for a directory that was not looked at as a whole. */
export function exitCodeOf({
	verdict,
	complete,
}: Pick<DoctorReport, "verdict" | "complete">): number {
	if (verdict === "damaged" || verdict === "later-release")
		return exitCodes.refused;
	if (!complete) return exitCodes.locked;
	return verdict === "repairable" ? exitCodes.unhealthy : 0;
}
