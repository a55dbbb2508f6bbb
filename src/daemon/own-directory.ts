import { join } from "node:path";
import { OperatorError } from "../errors.js";
import { identityFileName, listed, logDirectory } from "./identity.js";

/** What lies in a directory in which a first start was cut short, and in the root of a new file system. */
const beginnings = [
	...["lock", `${identityFileName}.tmp`, logDirectory, "lost+found"],
];

const toldNames = 5;

/**
 * Throws OperatorError "config" for a directory with files that no raftd has put there. Before the lock is taken: that
 * writes a file, and may write over one. What has a log or an identity is `openIdentity`'s to judge.
 */
export function requireOwnDirectory({
	directory,
	nodeId,
}: {
	readonly directory: string;
	readonly nodeId: string;
}): void {
	const names = listed(directory);
	if (names.includes(identityFileName)) return;
	if (listed(join(directory, logDirectory)).length > 0) return;
	const foreign = names.filter((name) => !beginnings.includes(name));
	if (foreign.length === 0) return;
	const more = foreign.length - toldNames;
	throw new OperatorError(
		"config",
		`${directory} holds files that are no node's`,
		{
			node: nodeId,
			problems: [
				`there: ${foreign.slice(0, toldNames).join(", ")}${more > 0 ? ` and ${more} more` : ""}`,
			],
			state: "nothing was changed; the node did not start",
			next: "set data in the node's configuration to a directory of its own, empty or not there yet",
		},
	);
}
