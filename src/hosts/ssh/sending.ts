import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { OperatorError } from "../../errors.js";
import type { SendOptions, Sent } from "../host.js";
import type { Command, CommandOutput } from "./command.js";
import { fullDiskThere } from "./full-disk.js";
import { appendScript, type FileToSend, lookScript } from "./scripts.js";
import {
	attemptsWithoutProgress,
	hashTimeoutMs,
	outputLimitBytes,
	stallMs,
	transferLimitMs,
} from "./transfer-limits.js";
import { writeAll } from "./writing.js";

interface Target {
	readonly name: string;
	execute(command: Omit<Command, "prefix">): Promise<CommandOutput>;
}

interface Wanted extends SendOptions {
	readonly path: string;
	readonly source: string;
	readonly mode: number;
}

/**
 * Brings a file to a host, however often the connection breaks: goes on where it was, as long as it gets on. Nothing is
 * sent when the file is there with the same content.
 */
export async function sendFile(target: Target, wanted: Wanted): Promise<Sent> {
	const file = await fileToSend(wanted);
	let [sentBytes, restarted, failures] = [0, false, 0];
	let before = -1;
	for (;;) {
		try {
			const found = await look(target, file, wanted);
			if (found === "there") return { sentBytes, present: sentBytes === 0 };
			failures = found.have > before ? 0 : failures + 1;
			before = found.have;
			if (failures >= attemptsWithoutProgress) throw stopped(target, file);
			requireSpace(target, file, found);
			const { exitCode, stderr } = await append(target, file, found.have, {
				wanted,
				onTaken: (bytes) => {
					sentBytes += bytes;
				},
			});
			if (exitCode === 0) return { sentBytes, present: false };
			if (exitCode === appendScript.wrong) {
				// What was there before was damaged: once more from the beginning.
				if (restarted) throw damaged(target, file);
				[restarted, before] = [true, -1];
			} else if (exitCode === appendScript.busy) throw busy(target, file);
			else if (
				exitCode !== appendScript.moved &&
				exitCode !== appendScript.short
			)
				throw await unwritten(target, file, stderr);
		} catch (error) {
			wanted.signal?.throwIfAborted();
			const broken =
				error instanceof OperatorError &&
				["unreachable", "timeout"].includes(error.kind);
			failures += 1;
			if (!broken || failures >= attemptsWithoutProgress) throw error;
		}
	}
}

async function fileToSend({ source, path, mode }: Wanted): Promise<FileToSend> {
	const hash = createHash("sha256");
	for await (const chunk of createReadStream(source)) hash.update(chunk);
	const { size } = await stat(source);
	return { path, mode, bytes: size, hash: hash.digest("hex") };
}

interface Partial {
	readonly have: number;
	readonly freeBytes: number;
}

async function look(
	target: Target,
	file: FileToSend,
	{ signal }: Wanted,
): Promise<"there" | Partial> {
	const { exitCode, stdout, stderr } = await target.execute({
		argv: lookScript(file),
		...{ timeoutMs: hashTimeoutMs, outputLimitBytes },
		...(signal === undefined ? {} : { signal }),
	});
	const words = stdout.toString("utf8").trim().split(" ");
	if (exitCode === 0 && words[0] === "there") return "there";
	const [have, freeBytes] = [Number(words[1]), Number(words[2])];
	if (exitCode === 0 && words[0] === "partial" && Number.isSafeInteger(have))
		return { have, freeBytes };
	throw await unwritten(target, file, stderr);
}

async function unwritten(
	target: Target,
	file: FileToSend,
	stderr: Buffer,
): Promise<OperatorError> {
	const said = stderr.toString("utf8");
	const full = await fullDiskThere(target, file.path, said);
	return full ?? failed(target, file, said);
}

async function append(
	target: Target,
	file: FileToSend,
	from: number,
	{
		wanted: { source, signal, onProgress },
		onTaken,
	}: {
		readonly wanted: Wanted;
		readonly onTaken: (bytes: number) => void;
	},
): Promise<CommandOutput> {
	const stalled = new AbortController();
	const stall = () => stalled.abort(stopped(target, file));
	let timer = setTimeout(stall, stallMs);
	let done = from;
	onProgress?.(done, file.bytes);
	const taken = (bytes: number) => {
		done += bytes;
		onTaken(bytes);
		onProgress?.(done, file.bytes);
		clearTimeout(timer);
		timer = setTimeout(stall, done < file.bytes ? stallMs : hashTimeoutMs);
	};
	try {
		return await target.execute({
			argv: appendScript(file, from),
			// What limits it is that it gets on, not how long it takes.
			...{ timeoutMs: transferLimitMs, outputLimitBytes },
			signal: AbortSignal.any([
				stalled.signal,
				...(signal === undefined ? [] : [signal]),
			]),
			feed: (channel, over) =>
				writeAll(
					channel,
					createReadStream(source, { start: from }),
					over,
					taken,
				),
		});
	} finally {
		clearTimeout(timer);
	}
}

function requireSpace(
	{ name }: Target,
	{ path, bytes }: FileToSend,
	{ have, freeBytes }: Partial,
): void {
	if (!(freeBytes < bytes - have)) return;
	throw new OperatorError(
		"refused",
		`${path} needs ${bytes - have} bytes, and ${freeBytes} are free`,
		{
			node: name,
			state: "nothing was sent",
			remedy: "make room on that file system",
		},
	);
}

function failed(
	{ name }: Target,
	{ path }: FileToSend,
	said: string,
): OperatorError {
	const why = said.trim().split("\n").at(-1);
	return new OperatorError(
		"unexpected",
		`${path} could not be written${why ? `: ${why}` : ""}`,
		{
			node: name,
			state: "what was there before is still there; a part may lie beside it",
		},
	);
}

function stopped({ name }: Target, { path }: FileToSend): OperatorError {
	return new OperatorError(
		"timeout",
		`${path} does not get on: nothing of it goes through`,
		{
			node: name,
			state: "what has arrived is kept",
			...{
				next: "give the command again: it goes on where it was",
				remedy: "",
			},
		},
	);
}

function busy({ name }: Target, { path }: FileToSend): OperatorError {
	return new OperatorError("locked", `somebody else is sending ${path}`, {
		...{ node: name, state: "nothing was sent" },
		remedy: "wait until they are done",
	});
}

function damaged({ name }: Target, { path }: FileToSend): OperatorError {
	return new OperatorError(
		"unreachable",
		`${path} arrives with another content than it was sent with`,
		{
			...{ node: name, state: "it was not put in its place" },
			remedy:
				"look whether the source is being written to, and at the host's disk",
		},
	);
}
