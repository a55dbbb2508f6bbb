import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rename, rm, stat, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { OperatorError } from "../../errors.js";
import type { Fetched, SendOptions } from "../host.js";
import type { Command, CommandOutput } from "./command.js";
import { restScript, weighScript } from "./scripts.js";
import {
	attemptsWithoutProgress,
	hashTimeoutMs,
	outputLimitBytes,
	stallMs,
	transferLimitMs,
} from "./transfer-limits.js";

interface Source {
	readonly name: string;
	execute(command: Omit<Command, "prefix">): Promise<CommandOutput>;
}

interface Wanted extends SendOptions {
	readonly path: string;
	readonly target: string;
}

/** The file as it lies there. */
interface Weight {
	readonly bytes: number;
	/** SHA-256, hexadecimal. */
	readonly hash: string;
}

/**
 * Brings a file here, however often the connection breaks: goes on where it was, as long as it gets on. The part of it has
 * the content's own name, so that a part of another content is never gone on with. Nothing is brought when it is here.
 */
export async function fetchFile(
	source: Source,
	wanted: Wanted,
): Promise<Fetched | null> {
	const weight = await weigh(source, wanted);
	if (weight === null) return null;
	try {
		return await take(source, wanted, weight);
	} catch (error) {
		throw isOfDisk(error) ? unwritable(wanted, error) : error;
	}
}

async function take(
	source: Source,
	wanted: Wanted,
	weight: Weight,
): Promise<Fetched> {
	const { target } = wanted;
	const isHere =
		(await sizeOf(target)) === weight.bytes &&
		(await hashOf(target)) === weight.hash;
	if (isHere) return { receivedBytes: 0, present: true };
	const part = `${target}.${weight.hash}.part`;
	await mkdir(dirname(target), { recursive: true, mode: 0o700 });
	const receivedBytes = await fill(source, wanted, { ...weight, part });
	await putInPlace(part, target);
	return { receivedBytes, present: false };
}

interface Filling extends Weight {
	readonly part: string;
}

/** Until the part is whole and right. Returns what came over the line. */
async function fill(
	source: Source,
	wanted: Wanted,
	filling: Filling,
): Promise<number> {
	const { bytes, hash, part } = filling;
	let [receivedBytes, failures, restarted, before] = [0, 0, false, -1];
	for (;;) {
		const found = await sizeOf(part);
		const have = found ?? 0;
		if (found !== null && found >= bytes) {
			if (found === bytes && (await hashOf(part)) === hash)
				return receivedBytes;
			await rm(part, { force: true });
			// What was here before was damaged: once more from the beginning.
			if (restarted) throw damaged(source, wanted);
			[restarted, before] = [true, -1];
			continue;
		}
		failures = have > before ? 0 : failures + 1;
		before = have;
		if (failures >= attemptsWithoutProgress) throw stopped(source, wanted);
		await requireSpace(wanted, bytes - have);
		try {
			await append(source, wanted, {
				...{ ...filling, from: have },
				onTaken: (taken) => {
					receivedBytes += taken;
				},
			});
		} catch (error) {
			wanted.signal?.throwIfAborted();
			const broken =
				error instanceof OperatorError &&
				["unreachable", "timeout"].includes(error.kind);
			if (!broken) throw error;
		}
	}
}

async function append(
	source: Source,
	wanted: Wanted,
	{
		bytes,
		part,
		from,
		onTaken,
	}: Filling & {
		readonly from: number;
		readonly onTaken: (bytes: number) => void;
	},
): Promise<void> {
	const { path, signal, onProgress } = wanted;
	const stalled = new AbortController();
	const stall = () => stalled.abort(stopped(source, wanted));
	let timer = setTimeout(stall, stallMs);
	let done = from;
	onProgress?.(done, bytes);
	const counted = new Transform({
		transform(chunk: Buffer, _encoding, next) {
			done += chunk.length;
			onTaken(chunk.length);
			onProgress?.(done, bytes);
			clearTimeout(timer);
			timer = setTimeout(stall, stallMs);
			next(null, chunk);
		},
	});
	const file = createWriteStream(part, { flags: "a", mode: 0o600 });
	const written = pipeline(counted, file);
	// Whoever fails first is told below.
	written.catch(() => undefined);
	try {
		const { exitCode, stderr } = await source.execute({
			argv: restScript(path, from),
			...{ timeoutMs: transferLimitMs, outputLimitBytes, sink: counted },
			signal: AbortSignal.any([
				stalled.signal,
				...(signal === undefined ? [] : [signal]),
			]),
		});
		if (exitCode !== 0) throw failed(source, wanted, stderr);
	} finally {
		clearTimeout(timer);
		counted.end();
		await written;
	}
}

/** Null when there is no such file. */
async function weigh(source: Source, wanted: Wanted): Promise<Weight | null> {
	const { signal } = wanted;
	const { exitCode, stdout, stderr } = await source.execute({
		argv: weighScript(wanted.path),
		...{ timeoutMs: hashTimeoutMs, outputLimitBytes },
		...(signal === undefined ? {} : { signal }),
	});
	if (exitCode === weighScript.absent) return null;
	const [size = "", hash = ""] = stdout.toString("utf8").trim().split(" ");
	if (exitCode === 0 && /^\d+$/.test(size) && /^[0-9a-f]{64}$/.test(hash))
		return { bytes: Number(size), hash };
	throw failed(source, wanted, stderr);
}

async function putInPlace(part: string, target: string): Promise<void> {
	const file = await open(part, "r");
	await file.sync().finally(() => file.close());
	await rename(part, target);
	const directory = await open(dirname(target), "r");
	await directory.sync().finally(() => directory.close());
}

async function requireSpace({ target }: Wanted, bytes: number): Promise<void> {
	const { bavail, bsize } = await statfs(dirname(target));
	if (bavail * bsize >= bytes) return;
	throw new OperatorError(
		"refused",
		`${target} needs ${bytes} bytes, and ${bavail * bsize} are free`,
		{
			...{ node: "local", state: "nothing was brought here" },
			remedy: "make room on that file system",
		},
	);
}

/** Null for one that is not there. */
async function sizeOf(path: string): Promise<number | null> {
	try {
		return (await stat(path)).size;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
		throw error;
	}
}

async function hashOf(path: string): Promise<string> {
	const hash = createHash("sha256");
	for await (const chunk of createReadStream(path)) hash.update(chunk);
	return hash.digest("hex");
}

/** Of this machine: what befalls the other one is told by its own errors. */
function isOfDisk(error: unknown): error is NodeJS.ErrnoException {
	return error instanceof Error && "syscall" in error;
}

function unwritable(
	{ target }: Wanted,
	cause: NodeJS.ErrnoException,
): OperatorError {
	return new OperatorError(
		"refused",
		`${target} cannot be written: ${cause.message}`,
		{
			...{ node: "local", state: "what has arrived is kept", cause },
			next: "see to that file system, then give the command again: it goes on where it was",
			remedy: "see to that file system",
		},
	);
}

function failed(
	{ name }: Source,
	{ path }: Wanted,
	stderr: Buffer,
): OperatorError {
	const why = stderr.toString("utf8").trim().split("\n").at(-1);
	return new OperatorError(
		"unexpected",
		`${path} could not be read${why ? `: ${why}` : ""}`,
		{ node: name, state: "it is as it was there; a part may lie here" },
	);
}

function stopped({ name }: Source, { path }: Wanted): OperatorError {
	return new OperatorError(
		"timeout",
		`${path} does not get on: nothing of it comes through`,
		{
			...{ node: name, state: "what has arrived is kept" },
			...{
				next: "give the command again: it goes on where it was",
				remedy: "",
			},
		},
	);
}

function damaged({ name }: Source, { path }: Wanted): OperatorError {
	return new OperatorError(
		"unreachable",
		`${path} arrives with another content than it has there`,
		{
			...{ node: name, state: "it was not put in its place" },
			remedy: "look whether it is being written to, and at the host's disk",
		},
	);
}
