import {
	mkdirSync,
	mkdtempSync,
	readdirSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { pruneSnapshots } from "../../../src/operations/snapshots/prune.js";
import { failureOf } from "../operating.js";

/** Says of a file what is written in it. */
const fakeRaftd = `
const { readFileSync } = require("node:fs");
const text = readFileSync(process.argv.at(-1), "utf8");
const manifest = text.startsWith("{") ? JSON.parse(text) : null;
const error = { kind: "refused", message: "it is damaged" };
console.log(JSON.stringify(manifest === null ? { error } : { manifest }));
process.exitCode = manifest === null ? 11 : 0;
`;

let base: string;
let directory: string;
beforeEach(() => {
	base = mkdtempSync(join(tmpdir(), "prune-"));
	directory = join(base, "backups");
	mkdirSync(directory);
	writeFileSync(join(base, "raftd.cjs"), fakeRaftd);
});
afterEach(() => rmSync(base, { recursive: true }));

function put(name: string, index: number, clusterId = "c1"): void {
	const manifest = { clusterId, index, fileBytes: 9, createdAtMs: index };
	writeFileSync(join(directory, name), JSON.stringify(manifest));
}

const prune = (
	keep: number,
	more: { dryRun?: boolean; confirm?: () => Promise<void> } = {},
) =>
	pruneSnapshots(
		{
			programs: { node: process.execPath, raftd: join(base, "raftd.cjs") },
			signal: new AbortController().signal,
		},
		{ id: "c1", name: "orders" },
		{ directory, keep, dryRun: false, confirm: async () => undefined, ...more },
	);

describe("pruning snapshots", () => {
	it("removes the older ones of this cluster, and nothing else", async () => {
		put("a.snapshot", 10);
		put("b.snapshot", 30);
		put("c.snapshot", 20);
		put("other.snapshot", 5, "c0");
		put("note.txt", 1);
		put("d.snapshot.part", 2);
		writeFileSync(join(directory, "bad.snapshot"), "torn");
		const report = await prune(1);
		expect(report.removed.map(({ index }) => index)).toEqual([20, 10]);
		expect(report.passedOver.map(({ why }) => why).sort()).toEqual([
			...["it is damaged", "it is of c0"],
		]);
		expect(readdirSync(directory).sort()).toEqual([
			...["b.snapshot", "bad.snapshot", "d.snapshot.part"],
			...["note.txt", "other.snapshot"],
		]);
	});

	it("removes nothing with --dry-run, nor when the answer is no", async () => {
		put("a.snapshot", 10);
		put("b.snapshot", 20);
		expect((await prune(1, { dryRun: true })).removed).toHaveLength(1);
		const no = async () => {
			throw new OperatorError("refused", "you answered no");
		};
		const failure = await failureOf(prune(1, { confirm: no }));
		expect(failure.message).toBe("you answered no");
		expect(readdirSync(directory)).toHaveLength(2);
	});

	it("asks nothing when nothing goes", async () => {
		put("a.snapshot", 10);
		const asked = async () => {
			throw new Error("it asked");
		};
		expect((await prune(3, { confirm: asked })).removed).toEqual([]);
	});

	it("says that there is no such directory", async () => {
		rmSync(directory, { recursive: true });
		expect((await failureOf(prune(1))).kind).toBe("usage");
	});
});
