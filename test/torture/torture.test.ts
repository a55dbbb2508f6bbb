import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { conclude } from "./main.js";
import { run } from "./run.js";

const root = resolve(import.meta.dirname, "../..");
const limitMs = 300_000;

/** Only what went wrong is worth a line here. */
const silent = () => {};

function newDirectory(): string {
	return mkdtempSync(join(tmpdir(), "raftd-torture-"));
}

describe("real nodes that are killed, frozen and cut off for a minute", () => {
	it(
		"stay linearizable, and tell subscribers the truth",
		async () => {
			const seed = Math.floor(Math.random() * 1_000_000);
			const directory = newDirectory();
			const report = await run({
				...{ root, directory, seed, nodes: 3, durationMs: 60_000 },
				tell: silent,
			});
			const said: string[] = [];
			const exitCode = conclude(report, directory, (line) => said.push(line));
			expect(said).toEqual([]);
			expect(exitCode).toBe(0);
			expect(report.summary.linearizable).toBe(true);
			expect(report.summary.operations).toBeGreaterThan(500);
			expect(report.summary.faults.elections).toBeGreaterThan(0);
		},
		limitMs,
	);
});

describe("a client that takes what a node has applied for what is", () => {
	it(
		"is caught",
		async () => {
			const directory = newDirectory();
			try {
				const { summary, problems } = await run({
					...{ root, directory, seed: 7, nodes: 3, durationMs: 15_000 },
					reads: "stale",
					tell: silent,
				});
				expect(summary.linearizable).toBe(false);
				expect(problems[0]).toMatch(/no order of these \d+ operations/);
			} finally {
				rmSync(directory, { recursive: true, force: true });
			}
		},
		limitMs,
	);
});
