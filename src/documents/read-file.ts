import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { OperatorError, reasonOf } from "../errors.js";

/** No document that a person writes is longer; a device or a log given by mistake is. */
const fileLimitBytes = 1024 * 1024;

/** Nobody has acted yet on what could not be read. */
const state = "nothing was touched";

/**
 * The text of a file, for readDocument. Throws OperatorError "config": not there, not a regular file, not readable, longer
 * than 1 MiB, not UTF-8. `next` is what to do when there is no such file.
 */
export async function readText(path: string, next: string): Promise<string> {
	const bytes = await readBytes(path, next);
	if (bytes.byteLength > fileLimitBytes)
		throw new OperatorError("config", `${path} is longer than 1 MiB`, {
			state,
			next: "give the right file",
		});
	try {
		return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch (cause) {
		throw new OperatorError("config", `${path} is not UTF-8 text`, {
			problems: [`${path}:${placeOfOther(bytes)} is not UTF-8`],
			state,
			next: "save it as UTF-8",
			cause,
		});
	}
}

/** "line:column" of the first letter that is none. */
function placeOfOther(bytes: Uint8Array): string {
	const lines = Buffer.from(bytes).toString("latin1").split("\n");
	const line = lines.findIndex((text) => !isUtf8(Buffer.from(text, "latin1")));
	const letters = [
		...Buffer.from(lines[line] ?? "", "latin1").toString("utf8"),
	];
	// Where the file itself holds the letter for unreadable ones, it is as good a place to look.
	return `${line + 1}:${letters.indexOf("\ufffd") + 1}`;
}

async function readBytes(path: string, next: string): Promise<Uint8Array> {
	try {
		// A pipe that nobody writes to would hold the open, and with it the whole process, for ever.
		const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
		try {
			const found = await file.stat();
			if (found.isDirectory())
				throw new OperatorError("config", `${path} is a directory`, {
					state,
					next,
				});
			if (!found.isFile())
				throw new OperatorError("config", `${path} is not a regular file`, {
					state,
					next: "give a regular file, or - to read standard input where the command takes it",
				});
			const buffer = new Uint8Array(fileLimitBytes + 1);
			let length = 0;
			for (;;) {
				const { bytesRead } = await file.read(buffer, length);
				length += bytesRead;
				if (bytesRead === 0 || length === buffer.byteLength)
					return buffer.subarray(0, length);
			}
		} finally {
			await file.close();
		}
	} catch (cause) {
		if (cause instanceof OperatorError) throw cause;
		throw new OperatorError("config", sentenceFor(path, cause), {
			state,
			next:
				codeOf(cause) === "EACCES"
					? `let this user read it: chmod u+r ${path}, or be its owner`
					: next,
			cause,
		});
	}
}

function codeOf(cause: unknown): string | undefined {
	return (cause as NodeJS.ErrnoException).code;
}

function sentenceFor(path: string, cause: unknown): string {
	switch (codeOf(cause)) {
		case "ENOENT":
			return `there is no file ${path}`;
		case "EACCES":
			return `${path} may not be read by this user`;
		default:
			return `${path} cannot be read: ${reasonOf(cause)}`;
	}
}
