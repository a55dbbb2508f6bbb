import { OperatorError } from "../errors.js";
import type { NodeConfig } from "./config.js";

/** What to tell the person whose node does not start; errors that nobody foresaw come back as they are. */
export function startError(error: unknown, config: NodeConfig): unknown {
	if (error instanceof OperatorError) return error;
	const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
	const reason = reasons[code ?? ""];
	if (reason === undefined) return error;
	return new OperatorError("refused", reason.what(path ?? config.data), {
		node: config.node,
		problems: [`${syscall ?? "a system call"} failed with ${code}`],
		state: "the node did not start; its log is as it was",
		next: reason.next,
		cause: error,
	});
}

interface Reason {
	/** About this path. */
	what(path: string): string;
	readonly next: string;
}

const notAllowed: Reason = {
	what: (path) => `this user may not use ${path}`,
	next: "give the data directory, with all that is in it, to the user that runs raftd (chown -R), or set data in the node's configuration to another",
};

const noDirectory: Reason = {
	what: (path) => `what is there is not a directory: ${path}`,
	next: "move the file away, or set data in the node's configuration to another directory",
};

const reasons: Record<string, Reason> = {
	ENOSPC: {
		what: (path) => `the disk is full: ${path}`,
		next: "free space on the disk of the data directory, then start the node again",
	},
	EDQUOT: {
		what: (path) => `the disk quota is used up: ${path}`,
		next: "free space in the data directory, then start the node again",
	},
	EACCES: notAllowed,
	EPERM: notAllowed,
	EROFS: {
		what: (path) => `${path} is on a read-only file system`,
		next: "remount it writable, or set data in the node's configuration to another directory",
	},
	EIO: {
		what: (path) => `the disk cannot read or write ${path}`,
		next: "check the disk (dmesg); copy what can be read elsewhere before anything else",
	},
	EISDIR: {
		what: (path) => `${path} is a directory, and raftd keeps a file there`,
		next: "see what it holds and move it away; if it took the file's place, put the file back. raftd doctor --data-dir says what is missing then",
	},
	ENOTDIR: noDirectory,
	EEXIST: noDirectory,
};
