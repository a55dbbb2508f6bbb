import { runAttached } from "../hosts/attached.js";
import { type OfflineRaftd, raftdArguments } from "./doctor.js";

export interface DumpWish {
	/** Null: from the first entry, to the last. */
	readonly from: number | null;
	readonly to: number | null;
	/** The index of a snapshot to show instead; null for the log. */
	readonly snapshot: number | null;
	/** The module of the machine; null for the bundled one. */
	readonly app: string | null;
	readonly ndjson: boolean;
}

/**
 * Writes the entries of a data directory's log, or one of its snapshots, to standard output as they are read: raftd does
 * that itself. Resolves with its exit code.
 */
export async function dump(
	raftd: OfflineRaftd,
	{ from, to, snapshot, app, ndjson }: DumpWish,
): Promise<number> {
	const flags = [
		...flag("--from", from),
		...flag("--to", to),
		...flag("--snapshot", snapshot),
		...flag("--app", app),
		...(ndjson ? ["--ndjson"] : []),
	];
	const { exitCode } = await runAttached(raftdArguments(raftd, "dump", flags), {
		...{ stdout: "inherit", signal: raftd.signal },
	});
	return exitCode;
}

function flag(name: string, value: string | number | null): string[] {
	return value === null ? [] : [name, String(value)];
}
