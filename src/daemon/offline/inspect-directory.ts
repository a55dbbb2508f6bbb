import { exitCodes } from "../../errors.js";
import type { Configuration } from "../../raft/types.js";
import type { DataDirectory } from "../doctor/data-directory.js";
import { examine } from "../doctor/examine.js";
import type { DoctorReport } from "../doctor/report.js";
import { holdingOf } from "./holding.js";

/** What `raftd inspect --json` prints (docs/raftd.md). */
export interface DirectoryReport
	extends Pick<
		DoctorReport,
		"version" | "directory" | "verdict" | "holder" | "identity" | "problems"
	> {
	/** Null while a process uses the directory, and where too little is left to tell. After damage, what is before it. */
	readonly holds: {
		readonly term: number;
		readonly votedFor: string | null;
		/** Of the log; lastIndex + 1 when it holds no entry. */
		readonly firstIndex: number;
		readonly lastIndex: number;
		readonly lastTerm: number;
		/** Up to here the node knew that everything was committed. */
		readonly commit: number;
		/** The newest that can be used. */
		readonly snapshot: {
			readonly file: string;
			readonly index: number;
			readonly term: number;
			readonly machine: string;
			readonly level: number;
			readonly release: string;
		} | null;
		/** The latest, committed or not. */
		readonly configuration: Configuration & { readonly index: number };
	} | null;
}

/** What a node that is down holds, from its disk alone. Changes nothing. */
export async function inspectDirectory(
	directory: DataDirectory,
): Promise<DirectoryReport> {
	const examination = await examine(directory);
	const { version, verdict, holder, identity, problems } = examination.report;
	const about = { version, directory: directory.path, verdict, holder };
	const holding = holdingOf(examination);
	if (holding === null) return { ...about, identity, holds: null, problems };
	const { term, votedFor, firstIndex, lastIndex, lastTerm, commit } = holding;
	const { index, configuration } = holding.configuration;
	const holds = {
		...{ term, votedFor, firstIndex, lastIndex, lastTerm, commit },
		snapshot: snapshotIn(holding),
		configuration: { index, ...configuration },
	};
	return { ...about, identity, holds, problems };
}

function snapshotIn({ snapshot }: NonNullable<ReturnType<typeof holdingOf>>) {
	if (snapshot === null) return null;
	const { index, term, machine, level, release } = snapshot.manifest;
	return { file: snapshot.file, index, term, machine, level, release };
}

/** What a start would repair by itself does not keep from telling what is there. */
export function exitCodeOf({ verdict, holder }: DirectoryReport): number {
	if (verdict === "damaged" || verdict === "later-release")
		return exitCodes.refused;
	return holder === null ? 0 : exitCodes.locked;
}
