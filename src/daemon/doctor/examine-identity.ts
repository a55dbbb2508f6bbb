import { readFileSync } from "node:fs";
import { isDirectoryError } from "../../storage/disk.js";
import { identityFileName, storedSchema } from "../identity.js";
import type { DataDirectory } from "./data-directory.js";
import type { DoctorReport, Problem } from "./report.js";

/** A later release's file has a later format. */
const knownFormat = 1;

export function examineIdentity({ identity: file }: DataDirectory): {
	readonly identity: DoctorReport["identity"];
	readonly problems: Problem[];
} {
	const about = { file, offset: null, index: null };
	const found = parsed(file);
	const harmed =
		found === aDirectory
			? `${identityFileName} is a directory`
			: `${identityFileName} is damaged`;
	if (found === null)
		return {
			identity: null,
			problems: [
				{
					...{
						...about,
						severity: "damaged",
						what: `there is no ${identityFileName}`,
					},
					means:
						"nobody can say whose log this is, and raftd does not start on it",
					next: "restore the file from a backup of this node; without one remove the node from the cluster and add a new member in its place",
				},
			],
		};
	const format = (found as { format?: unknown } | undefined)?.format;
	if (Number.isSafeInteger(format) && (format as number) > knownFormat)
		return {
			identity: null,
			problems: [
				{
					...{ ...about, severity: "later-release" },
					what: `${identityFileName} has format ${format}; this release reads format ${knownFormat}`,
					means: "a later release wrote it",
					next: "use the raftd of that release",
				},
			],
		};
	const { success, data } = storedSchema.safeParse(found);
	if (success) {
		const { clusterId, nodeId, incarnation, logStarted } = data;
		const identity = { clusterId, nodeId, incarnation, logStarted };
		return { identity, problems: [] };
	}
	return {
		identity: null,
		problems: [
			{
				...{
					...about,
					severity: "damaged",
					what: harmed,
				},
				means: "the node cannot prove who it is, and raftd does not start",
				next: "restore the file from a backup of this node; without one remove the node from the cluster and add a new member in its place",
			},
		],
	};
}

const aDirectory = Symbol("a directory");

/** Null when there is no file, undefined when it holds no JSON. */
function parsed(file: string): unknown {
	let text: string;
	try {
		text = readFileSync(file, "utf8");
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
		if (isDirectoryError(error)) return aDirectory;
		throw error;
	}
	try {
		return JSON.parse(text) ?? undefined;
	} catch {
		return undefined;
	}
}
