import { OperatorError } from "../errors.js";

interface Damage {
	readonly nodeId: string;
	/** Full path of the file. */
	readonly file: string;
	readonly offset: number;
	/** The last index that could be read before the damage; 0 when none was. */
	readonly index: number;
	/** What is wrong, as the rest of a sentence. */
	readonly what: string;
	readonly cause?: unknown;
}

/** Entries that may have been acknowledged cannot be read: the node must not start with less than it promised. */
export function damagedLog(damage: Damage): OperatorError {
	const { nodeId, file, offset, index, what, cause } = damage;
	return new OperatorError(
		"refused",
		`the log is damaged: ${what}, in ${file} at offset ${offset}${index > 0 ? `, after index ${index}` : ""}`,
		{
			node: nodeId,
			state:
				"the node has not started and nothing was changed; entries that it acknowledged may be gone",
			next: `leave it down: the other voters, if most are well, go on without it. raftctl doctor --data-dir says more. Keep the directory, and do not start ${nodeId} on an empty one under its old membership, which the others refuse on purpose: remove the member, then add it anew (docs/membership.md)`,
			cause,
		},
	);
}
