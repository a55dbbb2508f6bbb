import { readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError } from "../../errors.js";
import { lockDirectory } from "../../storage/lock.js";
import { realDisk } from "../../storage/real-disk.js";
import { makeDataDirectory } from "../identity.js";
import { notWritten } from "./file-out.js";

/** Throws OperatorError "refused" unless there is nothing at `directory`, or an empty directory. */
export function requireEmpty(directory: string): void {
	const names = namesIn(directory);
	if (names.length === 0) return;
	const shown = names.slice(0, 5).join(", ");
	throw new OperatorError(
		"refused",
		`the data directory ${directory} is not empty: it holds ${shown}${names.length > 5 ? " and more" : ""}`,
		{
			state: "nothing was changed",
			next: "move it away, or set data in the node's configuration to another directory",
		},
	);
}

function namesIn(directory: string): string[] {
	try {
		return readdirSync(directory);
	} catch (cause) {
		const { code } = cause as NodeJS.ErrnoException;
		if (code === "ENOENT") return [];
		throw new OperatorError(
			"refused",
			code === "ENOTDIR"
				? `${directory} is no directory`
				: `the data directory ${directory} cannot be looked at: ${code}`,
			{
				state: "nothing was changed",
				next: "set data in the node's configuration to a directory of this user's own",
				cause,
			},
		);
	}
}

/**
 * Makes `directory` as a whole or not at all: `fill` builds it under another name beside it, which then becomes its own.
 * A process that is killed leaves that other name at most, and the next call begins by emptying it. The lock on it goes
 * with it, so that no node starts before all is durable (P15, P19).
 */
export async function makeWhole<Result>(
	directory: string,
	fill: (staging: string) => Promise<Result>,
): Promise<Result> {
	const staging = `${directory}.restoring`;
	const release = await emptied(staging, directory);
	try {
		const result = await fill(staging);
		realDisk.syncDirectory(staging);
		renameSync(staging, directory);
		realDisk.syncDirectory(dirname(directory));
		return result;
	} catch (error) {
		rmSync(staging, { recursive: true, force: true });
		throw explained(directory, error);
	} finally {
		await release();
	}
}

async function emptied(
	staging: string,
	directory: string,
): Promise<() => Promise<void>> {
	try {
		makeDataDirectory(staging);
		const lock = await lockDirectory(staging);
		for (const name of readdirSync(staging))
			if (name !== "lock")
				rmSync(join(staging, name), { recursive: true, force: true });
		return () => lock.release();
	} catch (error) {
		throw explained(directory, error);
	}
}

function explained(directory: string, error: unknown): unknown {
	const { code } = (error ?? {}) as NodeJS.ErrnoException;
	if (code === "ENOTEMPTY" || code === "EEXIST") {
		requireEmpty(directory);
		return notWritten(directory, error);
	}
	if (code !== "EBUSY" && code !== "EXDEV") return notWritten(directory, error);
	return new OperatorError(
		"refused",
		`the data directory ${directory} is a file system of its own, and nothing can take its place`,
		{
			state: "nothing was changed",
			next: `set data in the node's configuration to a directory in it, such as ${join(directory, "data")}`,
			cause: error,
		},
	);
}
