import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { OperatorError, reasonOf } from "../../errors.js";
import { lockFile } from "../../hosts/file-lock.js";

/** So often another may finish, or give up, in the moment of the look. */
const maxVainTries = 10;

/**
 * Opens the file, empty and for this process alone until it is closed. One that a killed process left is written over.
 * Throws OperatorError "refused" while somebody writes it, "config" when it cannot be.
 */
export async function openPart(part: string): Promise<FileHandle> {
	for (let vain = 0; vain < maxVainTries; vain++) {
		const opened = await openOrCreate(part);
		if (opened === null) continue;
		const { handle, isNew } = opened;
		const locked = await lockFile(handle.fd);
		const isOurs = locked === "taken" || (locked === "unknown" && isNew);
		if (isOurs && (await isStill(part, handle))) {
			await handle.truncate(0);
			return handle;
		}
		await handle.close();
		if (!isOurs) break;
	}
	throw busy(part);
}

/** Null when it went in the moment of the look. */
async function openOrCreate(part: string) {
	const { O_RDWR, O_NOFOLLOW, O_CREAT, O_EXCL } = constants;
	try {
		const handle = await open(part, O_RDWR | O_CREAT | O_EXCL, 0o600);
		return { handle, isNew: true };
	} catch (cause) {
		if (codeOf(cause) !== "EEXIST") throw cannotCreate(part, cause);
	}
	try {
		return { handle: await open(part, O_RDWR | O_NOFOLLOW), isNew: false };
	} catch (cause) {
		if (codeOf(cause) === "ENOENT") return null;
		throw cannotCreate(part, cause);
	}
}

/** False when it was given its name, or removed, between the look and the lock. */
async function isStill(part: string, handle: FileHandle): Promise<boolean> {
	const [named, own] = await Promise.all([
		stat(part).catch(() => null),
		handle.stat(),
	]);
	return named?.ino === own.ino && named.dev === own.dev;
}

function busy(part: string): OperatorError {
	return new OperatorError(
		"refused",
		`${part} is there: another save is under way`,
		{
			state: "it was not touched",
			next: `wait for it, or give another name with --file; rm ${part}, when nobody writes it`,
		},
	);
}

export function cannotCreate(part: string, cause: unknown): OperatorError {
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

function codeOf(cause: unknown): string | undefined {
	return (cause as NodeJS.ErrnoException | null)?.code;
}
