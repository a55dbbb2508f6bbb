import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { OperatorError } from "../../errors.js";
import type { Disk, DiskFile, ReadableFile } from "../../storage/disk.js";
import { lockHolder } from "../../storage/lock.js";
import { realDisk } from "../../storage/real-disk.js";
import { identityFileName } from "../identity.js";

/** A node's data directory, to be looked at and never changed. */
export interface DataDirectory {
	/** Absolute. */
	readonly path: string;
	readonly identity: string;
	readonly wal: string;
	readonly snapshots: string;
	/** Refuses every change. */
	readonly disk: Disk;
	/** The process that holds the directory, in words; null when none does. */
	readonly holder: string | null;
}

/**
 * Throws OperatorError "usage" for a directory that is not there, that may not be read, or that no raftd has used:
 * nothing was looked at then, and nothing is said about a node.
 */
export async function openDataDirectory(path: string): Promise<DataDirectory> {
	const directory = {
		path: resolve(path),
		identity: resolve(path, identityFileName),
		wal: resolve(path, "wal"),
		snapshots: resolve(path, "snapshots"),
		disk: readingDisk,
	};
	return await reading(directory.path, async () => {
		refuseUnless(isDirectory(directory.path), directory.path, "no directory");
		const names = readdirSync(directory.path);
		const isOurs = parts.some((name) => names.includes(name));
		refuseUnless(isOurs, directory.path, "no data directory of a raftd");
		for (const name of [...parts, "lock"].filter((one) => names.includes(one)))
			checkReadable(join(directory.path, name));
		return { ...directory, holder: await lockHolder(directory.path) };
	});
}

const parts = [identityFileName, "wal", "snapshots"];

/** Before anything is said: a file that one may not read must not pass for a damaged one. */
function checkReadable(path: string): void {
	accessSync(path, constants.R_OK);
	if (!isDirectory(path)) return;
	accessSync(path, constants.X_OK);
	for (const name of readdirSync(path))
		accessSync(join(path, name), constants.R_OK);
}

/** Runs `work`; what the file system refuses becomes an error for people. */
export async function reading<Result>(
	path: string,
	work: () => Promise<Result>,
): Promise<Result> {
	try {
		return await work();
	} catch (cause) {
		throw explained(cause, path);
	}
}

function explained(cause: unknown, path: string): unknown {
	if (cause instanceof OperatorError) return cause;
	const { code, path: at = path } = (cause ?? {}) as NodeJS.ErrnoException;
	const known = {
		ENOENT: {
			what: `there is no ${at}`,
			next: "give the data directory of a node: data in its configuration (node.yaml)",
		},
		EACCES: {
			what: `this user may not read ${at}`,
			next: "give the command again as the user that runs raftd, for example with sudo -u",
		},
		ENOTDIR: {
			what: `${at} is no directory`,
			next: "see what it is and move it away; what belongs there is the node's own directory of that name",
		},
		EISDIR: {
			what: `${at} is a directory, and raftd keeps a file there`,
			next: "see what it holds and move it away, then give the command again",
		},
		EIO: {
			what: `the disk cannot read ${at}`,
			next: "check the disk (dmesg); copy what can be read elsewhere before anything else",
		},
	}[code === "EPERM" ? "EACCES" : (code ?? "")];
	if (known === undefined) return cause;
	return new OperatorError(
		code === "EIO" ? "unexpected" : "usage",
		known.what,
		{ state: "nothing was changed", next: known.next, cause },
	);
}

function refuseUnless(fits: boolean, path: string, what: string): void {
	if (fits) return;
	throw new OperatorError("usage", `${path} is ${what}`, {
		state: "nothing was changed",
		next: "give the data directory of a node: data in its configuration (node.yaml); it holds identity.json and wal",
	});
}

function isDirectory(path: string): boolean {
	return statSync(path).isDirectory();
}

/** Works without permission to write, and refuses to: what is looked at may be all that is left. */
export const readingDisk: Disk = {
	list: realDisk.list,
	openReadOnly: realDisk.openReadOnly,
	open: (path) => new Unchangeable(realDisk.openReadOnly(path)),
	create: refused,
	makeDirectory: refused,
	rename: refused,
	remove: refused,
	syncDirectory: refused,
};

class Unchangeable implements DiskFile {
	readonly path: string;
	readonly #file: ReadableFile;
	readonly writeAt = refused;
	readonly truncate = refused;
	readonly sync = refused;

	constructor(file: ReadableFile) {
		this.path = file.path;
		this.#file = file;
	}

	size(): number {
		return this.#file.size();
	}

	readAt(target: Uint8Array, offset: number): number {
		return this.#file.readAt(target, offset);
	}

	close(): void {
		this.#file.close();
	}
}

function refused(): never {
	throw new Error("invariant: a data directory that is looked at was changed");
}
