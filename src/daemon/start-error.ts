import { OperatorError } from "../errors.js";
import type { NodeConfig } from "./config.js";

/** What to tell the person whose node does not start; errors that nobody foresaw come back as they are. */
export function startError(error: unknown, config: NodeConfig): unknown {
	if (error instanceof OperatorError) return error;
	const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
	const reason = reasons[code ?? ""];
	if (reason === undefined) return error;
	return new OperatorError(
		"refused",
		`${reason.what}: ${path ?? config.data}`,
		{
			node: config.node,
			problems: [`${syscall ?? "a system call"} failed with ${code}`],
			state: "the node did not start; its log is as it was",
			next: reason.next,
			cause: error,
		},
	);
}

const reasons: Record<string, { what: string; next: string }> = {
	ENOSPC: {
		what: "the disk is full",
		next: "free space on the disk of the data directory, then start the node again",
	},
	EDQUOT: {
		what: "the disk quota is used up",
		next: "free space in the data directory, then start the node again",
	},
	EACCES: {
		what: "this user may not use the data directory",
		next: "give the directory to the user that runs raftd, or set data in the node's configuration to another",
	},
	EPERM: {
		what: "this user may not use the data directory",
		next: "give the directory to the user that runs raftd, or set data in the node's configuration to another",
	},
	EROFS: {
		what: "the data directory is on a read-only file system",
		next: "remount it writable, or set data in the node's configuration to another directory",
	},
	ENOTDIR: {
		what: "the data directory is not a directory",
		next: "set data in the node's configuration to a directory",
	},
	EEXIST: {
		what: "the data directory is not a directory",
		next: "set data in the node's configuration to a directory",
	},
};
