import { type FileHandle, link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";

/** A file that is whole under its name, or not there: `.part`, fsync, then its name, then the directory. */
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

/** Throws OperatorError "refused" when the file is there, or somebody is writing it; "config" when it cannot be. */
export async function createFile(path: string): Promise<NewFile> {
	const part = `${path}.part`;
	if (await isThere(path)) throw taken(path);
	const handle = await open(part, "wx", 0o600).catch((cause: unknown) => {
		throw cannotCreate(part, cause);
	});
	let length = 0;
	const failed = (cause: unknown) => cannotWrite(path, length, cause);
	return {
		part,
		get length() {
			return length;
		},
		async write(bytes) {
			await writeAll(handle, bytes).catch((cause: unknown) => {
				throw failed(cause);
			});
			length += bytes.length;
		},
		async finish() {
			try {
				await handle.sync();
				await handle.close();
				await giveName(part, path);
				await syncDirectory(dirname(path));
			} catch (cause) {
				throw cause instanceof OperatorError ? cause : failed(cause);
			}
		},
		async discard() {
			await handle.close().catch(() => undefined);
			await rm(part, { force: true });
		},
	};
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
	for (let at = 0; at < bytes.length; )
		at += (await handle.write(bytes, at)).bytesWritten;
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

function cannotCreate(part: string, cause: unknown): OperatorError {
	if (codeOf(cause) === "EEXIST")
		return new OperatorError(
			"refused",
			`${part} is there: another save is under way, or one was killed`,
			{
				state: "it was not touched",
				next: `rm ${part}, when nobody writes it any more`,
				cause,
			},
		);
	return new OperatorError(
		"config",
		`${part} cannot be written: ${reasonOf(cause)}`,
		{
			state: "nothing was written",
			next: "give another place with --file",
			cause,
		},
	);
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
