import { type FileHandle, open, stat } from "node:fs/promises";
import type { Clock } from "../clock.js";
import { type LogLine, logLineOf } from "./log-line.js";
import {
	type LogPage,
	type LogSource,
	type LogWish,
	pageBytes,
} from "./source.js";

interface FileOptions {
	readonly node: string;
	readonly path: string;
	readonly wish: LogWish;
	readonly clock: Clock;
}

/** Read from its end on, until there is as much as was asked for. */
const backwardBytes = 256 * 1024;
/** Beyond it nobody looks for how a file began. */
const furthestBackBytes = 64 * 1024 * 1024;
/** What is longer is no line; it is taken to pieces. */
const lineBytes = 1024 * 1024;

/**
 * A node's log in a file of this machine, and in the one that was set aside when the node was started (`<path>.1`). A
 * file that is put in its place meanwhile is gone on with once the old one is read to its end.
 */
export function fileSource(options: FileOptions): LogSource {
	return new FileSource(options);
}

class FileSource implements LogSource {
	readonly node: string;
	readonly #options: FileOptions;
	#file: FileHandle | null = null;
	#offset = 0;
	/** The beginning of a line whose end is not written yet. */
	#rest: Buffer = Buffer.alloc(0);
	#isBegun = false;
	/** Of the last line that had one. */
	#atMs: number | null = null;

	constructor(options: FileOptions) {
		this.#options = options;
		this.node = options.node;
	}

	async read(signal: AbortSignal): Promise<LogPage> {
		signal.throwIfAborted();
		const notes: string[] = [];
		const lines = this.#isBegun ? [] : await this.#begin(notes);
		this.#isBegun = true;
		const { page, isFull } = await this.#readOn();
		const more = isFull || (await this.#follow());
		return { lines: [...lines, ...page], more, notes };
	}

	async close(): Promise<void> {
		await this.#file?.close();
		this.#file = null;
	}

	async #begin(notes: string[]): Promise<LogLine[]> {
		const { path, wish, clock } = this.#options;
		const sinceMs =
			wish.sinceMs === null ? null : clock.unixMs() - wish.sinceMs;
		this.#file = await openIfThere(path);
		if (this.#file === null) notes.push(`there is no log at ${path}`);
		const newest = await tail(this.#file, { sinceMs, lines: wish.lines });
		this.#offset = newest.endsAt;
		this.#rest = newest.rest;
		const missing = newest.reachedStart ? wish.lines - newest.lines.length : 0;
		const older = missing > 0 ? await openIfThere(`${path}.1`) : null;
		const before = await tail(older, { sinceMs, lines: missing });
		await older?.close();
		return this.#shown([...before.lines, ...newest.lines], sinceMs);
	}

	async #readOn(): Promise<{ page: LogLine[]; isFull: boolean }> {
		if (this.#file === null) return { page: [], isFull: false };
		const buffer = Buffer.alloc(pageBytes);
		const { bytesRead } = await this.#file.read(
			...([buffer, 0, pageBytes, this.#offset] as const),
		);
		this.#offset += bytesRead;
		const bytes = Buffer.concat([this.#rest, buffer.subarray(0, bytesRead)]);
		const end = bytes.lastIndexOf(0x0a) + 1;
		const isEndless = end === 0 && bytes.length > lineBytes;
		const whole = isEndless ? bytes.length : end;
		this.#rest = Buffer.from(bytes.subarray(whole));
		const page = this.#shown(linesIn(bytes.subarray(0, whole)), null);
		return { page, isFull: bytesRead === pageBytes };
	}

	/** True when another file is there to be read. */
	async #follow(): Promise<boolean> {
		const { path } = this.#options;
		const found = await stat(path).catch(() => null);
		if (found === null) return false;
		const present = await this.#file?.stat();
		if (present?.ino === found.ino && present.dev === found.dev) {
			if (found.size >= this.#offset) return false;
			// Somebody has emptied it.
			this.#offset = 0;
			this.#rest = Buffer.alloc(0);
			return found.size > 0;
		}
		// Between the last read and now the old file may have got its last lines.
		if (present !== undefined && present.size > this.#offset) return true;
		await this.close();
		this.#file = await openIfThere(path);
		this.#offset = 0;
		this.#rest = Buffer.alloc(0);
		return this.#file !== null;
	}

	#shown(texts: readonly string[], sinceMs: number | null): LogLine[] {
		const lines = texts.map((text) => {
			const line = logLineOf(text, { node: this.node, atMs: this.#atMs });
			this.#atMs = line.atMs;
			return line;
		});
		if (sinceMs === null) return lines;
		return lines.filter(({ atMs }) => atMs === null || atMs >= sinceMs);
	}
}

interface Tail {
	readonly lines: readonly string[];
	/** All that the file holds, or holds of what was asked for, is in `lines`. */
	readonly reachedStart: boolean;
	readonly endsAt: number;
	readonly rest: Buffer;
}

/** The last lines of a file; of those since a moment no more than that needs, if all have their times. */
async function tail(
	file: FileHandle | null,
	{ sinceMs, lines }: { sinceMs: number | null; lines: number },
): Promise<Tail> {
	if (file === null)
		return { lines: [], reachedStart: true, endsAt: 0, rest: Buffer.alloc(0) };
	const { size } = await file.stat();
	const chunks: Buffer[] = [];
	let start = size;
	let newlines = 0;
	let isOld = false;
	while (
		start > 0 &&
		newlines <= lines &&
		!isOld &&
		size - start < furthestBackBytes
	) {
		const length = Math.min(backwardBytes, start);
		const chunk = Buffer.alloc(length);
		start -= length;
		const { bytesRead } = await file.read(chunk, 0, length, start);
		const read = chunk.subarray(0, bytesRead);
		chunks.unshift(read);
		newlines += count(read, 0x0a);
		isOld = sinceMs !== null && beginsBefore(read, sinceMs);
	}
	const bytes = Buffer.concat(chunks);
	const from = start === 0 ? 0 : bytes.indexOf(0x0a) + 1;
	const end = bytes.lastIndexOf(0x0a) + 1;
	const found = linesIn(bytes.subarray(from, Math.max(from, end)));
	return {
		lines: lines === 0 ? [] : found.slice(-lines),
		reachedStart: start === 0 && found.length <= lines,
		endsAt: start + bytes.length,
		rest: Buffer.from(bytes.subarray(end)),
	};
}

/** Whether the first line in it that has a time is older. */
function beginsBefore(bytes: Buffer, sinceMs: number): boolean {
	for (const text of linesIn(bytes.subarray(bytes.indexOf(0x0a) + 1))) {
		const { atMs } = logLineOf(text, { node: "", atMs: null });
		if (atMs !== null) return atMs < sinceMs;
	}
	return false;
}

function linesIn(bytes: Buffer): string[] {
	return bytes
		.toString("utf8")
		.split("\n")
		.filter((line) => line !== "");
}

function count(bytes: Buffer, byte: number): number {
	let found = 0;
	for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1))
		found += 1;
	return found;
}

async function openIfThere(path: string): Promise<FileHandle | null> {
	try {
		return await open(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
		throw error;
	}
}
