import { constants } from "node:fs";
import {
	access,
	type FileHandle,
	link,
	open,
	rename,
	rm,
} from "node:fs/promises";
import { dirname } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";
import { cannotCreate, openPart } from "./part-file.js";

/**
 * A file that is whole under its name, or not there: `.part`, fsync, then its name, then the directory. The part is locked
 * for as long as somebody writes it; one that a killed process left is written over.
 */
export interface NewFile {
	readonly part: string;
	/** Bytes written so far. */
	readonly length: number;
	write(bytes: Uint8Array): Promise<void>;
	/** Durable, and under its name, on return. Throws OperatorError "refused" when that name was taken meanwhile. */
	finish(): Promise<void>;
	/** Removes what is there. */
	discard(): Promise<void>;
}

/** Before anybody makes what is to be in it: throws as `createFile` would of a name that is taken, or a place that is none. */
export async function requireFree(path: string): Promise<void> {
	if (await isThere(path)) throw taken(path);
	await access(dirname(path), constants.W_OK).catch((cause: unknown) => {
		throw cannotCreate(path, cause);
	});
}

/** Throws OperatorError "refused" when the file is there, or somebody is writing it; "config" when it cannot be. */
export async function createFile(path: string): Promise<NewFile> {
	const part = `${path}.part`;
	if (await isThere(path)) throw taken(path);
	const handle = await openPart(part);
	const writer = new BehindWriter(handle);
	const failed = (cause: unknown) => cannotWrite(path, writer.written, cause);
	return {
		part,
		get length() {
			return writer.taken;
		},
		async write(bytes) {
			await writer.write(bytes).catch((cause: unknown) => {
				throw failed(cause);
			});
		},
		async finish() {
			try {
				await writer.end();
				await handle.sync();
				// Locked until it has its name: nobody may take it for one that was left.
				await giveName(part, path);
				await syncDirectory(dirname(path));
				await handle.close();
			} catch (cause) {
				throw cause instanceof OperatorError ? cause : failed(cause);
			}
		},
		async discard() {
			await writer.end().catch(() => undefined);
			await rm(part, { force: true });
			await handle.close().catch(() => undefined);
		},
	};
}

/** Written with one call; so much waits in memory besides while it is under way. */
const gatherBytes = 1024 * 1024;
/** Sent to the disk as soon as so much is written: the last sync then has little left to wait for. */
const syncEveryBytes = 32 * gatherBytes;

/**
 * Writes in order, behind whoever brings the bytes: the next ones are read while the last ones go to the disk. Rejects
 * with what the disk says, at the call after that at the latest, and from then on.
 */
class BehindWriter {
	/** Bytes accepted. */
	taken = 0;
	/** Bytes that the system has; the disk has them once the file is synced. */
	written = 0;
	readonly #handle: FileHandle;
	#gathered: Uint8Array[] = [];
	#gatheredBytes = 0;
	#writing: Promise<void> = Promise.resolve();
	#syncing: Promise<void> = Promise.resolve();
	#syncedTo = 0;

	constructor(handle: FileHandle) {
		this.#handle = handle;
	}

	async write(bytes: Uint8Array): Promise<void> {
		this.#gathered.push(bytes);
		this.#gatheredBytes += bytes.length;
		this.taken += bytes.length;
		if (this.#gatheredBytes >= gatherBytes) await this.#flush();
	}

	/** Returns once the system has all of it. */
	async end(): Promise<void> {
		await this.#flush();
		await this.#writing;
		await this.#syncing;
	}

	async #flush(): Promise<void> {
		await this.#writing;
		const pieces = this.#gathered;
		this.#gathered = [];
		this.#gatheredBytes = 0;
		if (pieces.length === 0) return;
		this.#writing = this.#writeAll(pieces);
		// Told by whoever waits for it next.
		this.#writing.catch(() => undefined);
	}

	async #writeAll(pieces: readonly Uint8Array[]): Promise<void> {
		let rest = pieces;
		while (rest.length > 0) {
			const { bytesWritten } = await this.#handle.writev(rest);
			this.written += bytesWritten;
			rest = behind(rest, bytesWritten);
		}
		if (this.written - this.#syncedTo < syncEveryBytes) return;
		// One at a time: a slow disk slows whoever brings the bytes, and nothing piles up.
		await this.#syncing;
		this.#syncedTo = this.written;
		this.#syncing = this.#handle.datasync();
		this.#syncing.catch(() => undefined);
	}
}

/** What is left of `pieces` behind so many bytes: a write may end early, on a signal or when the disk runs full. */
export function behind(
	pieces: readonly Uint8Array[],
	bytes: number,
): readonly Uint8Array[] {
	let left = bytes;
	let whole = 0;
	for (const { length } of pieces) {
		if (length > left) break;
		left -= length;
		whole++;
	}
	const [first, ...others] = pieces.slice(whole);
	return first === undefined ? [] : [first.subarray(left), ...others];
}

/** Never over another file: a link fails where a rename would replace. Some file systems have no links. */
async function giveName(part: string, path: string): Promise<void> {
	try {
		await link(part, path);
		await rm(part);
	} catch (cause) {
		if (codeOf(cause) === "EEXIST") throw taken(path);
		if (await isThere(path)) throw taken(path);
		await rename(part, path);
	}
}

async function isThere(path: string): Promise<boolean> {
	try {
		await (await open(path, "r")).close();
		return true;
	} catch (cause) {
		return codeOf(cause) !== "ENOENT";
	}
}

async function syncDirectory(path: string): Promise<void> {
	const directory = await open(path, "r");
	try {
		await directory.sync();
	} finally {
		await directory.close();
	}
}

function taken(path: string): OperatorError {
	return new OperatorError("refused", `${path} is there already`, {
		state: "it was not touched",
		next: "give another name with --file",
	});
}

function cannotWrite(
	path: string,
	length: number,
	cause: unknown,
): OperatorError {
	const full = codeOf(cause) === "ENOSPC";
	return new OperatorError(
		"refused",
		full
			? `the disk of ${dirname(path)} is full after ${length} bytes`
			: `${path} could not be written: ${reasonOf(cause)}`,
		{
			state: "the unfinished file was removed; the cluster is as it was",
			next: full
				? "make room, or give another place with --file"
				: "give another place with --file",
			cause,
		},
	);
}

function codeOf(cause: unknown): string | undefined {
	return (cause as NodeJS.ErrnoException | null)?.code;
}
