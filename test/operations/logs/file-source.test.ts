import {
	appendFileSync,
	mkdtempSync,
	renameSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/operations/clock.js";
import { fileSource } from "../../../src/operations/logs/file-source.js";
import type { LogSource } from "../../../src/operations/logs/source.js";

let directory: string;
let path: string;
let source: LogSource | null = null;
const { signal } = new AbortController();

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-logs-"));
	path = join(directory, "log");
});
afterEach(async () => {
	await source?.close();
	rmSync(directory, { recursive: true });
});

function open(lines: number, sinceMs: number | null = null): LogSource {
	const clock = systemClock;
	source = fileSource({ node: "n1", path, wish: { lines, sinceMs }, clock });
	return source;
}

function texts(count: number, from = 1): string {
	return Array.from({ length: count }, (_, at) => `line ${from + at}\n`).join(
		"",
	);
}

async function read(from: LogSource): Promise<string[]> {
	const found: string[] = [];
	for (let more = true; more; ) {
		const page = await from.read(signal);
		found.push(...page.lines.map(({ message }) => message));
		more = page.more;
	}
	return found;
}

describe("the log of a node on this machine", () => {
	it("begins with the newest lines, and goes on with what is written", async () => {
		writeFileSync(path, texts(1000));
		const log = open(3);
		expect(await read(log)).toEqual(["line 998", "line 999", "line 1000"]);
		expect(await read(log)).toEqual([]);
		appendFileSync(path, "line 1001\nline 10");
		expect(await read(log)).toEqual(["line 1001"]);
		appendFileSync(path, "02\n");
		expect(await read(log)).toEqual(["line 1002"]);
	});

	it("shows nothing of before when no lines are wanted", async () => {
		writeFileSync(path, texts(10));
		const log = open(0);
		expect(await read(log)).toEqual([]);
		appendFileSync(path, "line 11\n");
		expect(await read(log)).toEqual(["line 11"]);
	});

	it("has a long tail, too, of lines that are cut anywhere", async () => {
		writeFileSync(path, texts(30_000));
		expect(await read(open(20_000))).toEqual(
			texts(20_000, 10_001).trimEnd().split("\n"),
		);
	});

	it("goes back into the file that was set aside when the node was started", async () => {
		writeFileSync(`${path}.1`, texts(10));
		writeFileSync(path, texts(2, 11));
		expect(await read(open(4))).toEqual(texts(4, 9).trimEnd().split("\n"));
		await source?.close();
		expect(await read(open(2))).toEqual(["line 11", "line 12"]);
		await source?.close();
		expect(await read(open(100))).toHaveLength(12);
	});

	it("goes on in a new file when the old one is set aside, and loses no last word", async () => {
		writeFileSync(path, texts(2));
		const log = open(10);
		expect(await read(log)).toHaveLength(2);
		appendFileSync(path, "the last of the old\n");
		renameSync(path, `${path}.1`);
		writeFileSync(path, "the first of the new\n");
		expect(await read(log)).toEqual([
			"the last of the old",
			"the first of the new",
		]);
		expect(await read(log)).toEqual([]);
	});

	it("goes on from the start of a file that was emptied", async () => {
		writeFileSync(path, texts(20));
		const log = open(1);
		expect(await read(log)).toEqual(["line 20"]);
		truncateSync(path);
		appendFileSync(path, "anew\n");
		expect(await read(log)).toEqual(["anew"]);
	});

	it("may come later; that there is none is said once", async () => {
		const log = open(10);
		expect((await log.read(signal)).notes).toEqual([
			`there is no log at ${path}`,
		]);
		expect((await log.read(signal)).notes).toEqual([]);
		writeFileSync(path, texts(1));
		expect(await read(log)).toEqual(["line 1"]);
	});

	it("since a moment leaves out what is older, and what has no time goes with the line before it", async () => {
		const at = (agoMs: number) => new Date(Date.now() - agoMs).toISOString();
		const own = (msg: string, agoMs: number) =>
			`${JSON.stringify({ level: "info", time: at(agoMs), msg })}\n`;
		writeFileSync(
			path,
			[
				own("old", 7_200_000),
				"of the old one\n",
				own("new", 1_000),
				"of the new one\n",
			].join(""),
		);
		expect(await read(open(100, 3_600_000))).toEqual(["new", "of the new one"]);
	});

	it("takes what never ends a line to pieces instead of keeping it", async () => {
		writeFileSync(path, "x\n");
		const log = open(1);
		await read(log);
		appendFileSync(path, Buffer.alloc(8 * 1024 * 1024 + 5, "y"));
		const pieces = await read(log);
		expect(pieces.length).toBeGreaterThan(0);
		expect(pieces.join("").length).toBe(8 * 1024 * 1024);
	});
});
