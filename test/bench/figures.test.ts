import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Figure, holds, table } from "./figures.js";
import { inTurn, ratioFigure } from "./in-turn.js";
import { keep, keptBefore } from "./results.js";
import { percentile } from "./statistics.js";
import { throughputFigures } from "./throughput.js";

describe("systems that are measured in turn", () => {
	const between = { of: "raftd", to: "etcd", unit: "/s" };

	it("are compared within a round, so that a machine that gets slower is as slow for each", async () => {
		const speeds = [1, 0.5, 0.1];
		let turn = 0;
		const rounds = await inTurn(3, {
			raftd: async () => 4000 * (speeds[turn] as number),
			etcd: async () => 1000 * (speeds[turn++] as number),
		});
		const figure = ratioFigure("r", rounds, between, { atLeast: 4 });
		expect(figure.value).toBe(4);
		expect(holds(figure)).toBe(true);
		expect(figure.note).toBe("4–4 in 3 rounds; 2000 /s and 500");
	});

	it("count by the median of the rounds, with their spread", () => {
		const rounds = [3, 5, 40, 4, 4.5].map(
			(ratio) =>
				new Map([
					["raftd", 100 * ratio],
					["etcd", 100],
				]),
		);
		const figure = ratioFigure("r", rounds, between, { atLeast: 4.6 });
		expect(figure.value).toBe(4.5);
		expect(figure.note).toContain("3–40 in 5 rounds");
		expect(holds(figure)).toBe(false);
	});

	it("do not hold where one was not measured", () => {
		const rounds = [new Map([["raftd", 1]])];
		const figure = ratioFigure("r", rounds, between, { atMost: 4 });
		expect(holds(figure)).toBe(false);
	});
});

describe("what is asked of writes", () => {
	const ratio = (clients: number, to: string) => ({
		...{ of: "raftd", to, clients },
		rps: { median: 4.2, min: 4, max: 5 },
		p99: { median: 0.4, min: 0.3, max: 0.5 },
	});
	const figuresOf = (clients: number, to: string): Figure[] =>
		throughputFigures({ rows: [], ratios: [ratio(clients, to)] });

	it("is a rate, and from 64 clients on a p99, beside etcd", () => {
		expect(figuresOf(16, "etcd").map(holds)).toEqual([true]);
		expect(figuresOf(64, "etcd").map(holds)).toEqual([true, false]);
		expect(figuresOf(256, "etcd").map(holds)).toEqual([false, false]);
		expect(figuresOf(1000, "floor").map(holds)).toEqual([true]);
	});

	it("is nothing for other numbers of clients", () => {
		expect(figuresOf(7, "etcd").map(holds)).toEqual([null]);
	});
});

describe("a percentile of a few values", () => {
	it("is one of them, the largest where they are too few", () => {
		expect(percentile([3, 1, 2], 0.5)).toBe(2);
		expect(percentile([3, 1, 2], 0.99)).toBe(3);
		expect(percentile([], 0.5)).toBeNaN();
	});
});

describe("results that are kept", () => {
	let directory: string;
	beforeEach(() => {
		directory = mkdtempSync(join(tmpdir(), "raftctl-results-"));
	});
	afterEach(() => rmSync(directory, { recursive: true }));

	const figure = (of: string, value: number) => ({
		...{ of, name: `of ${of}`, value, unit: "×" },
	});
	const monday = new Date("2026-01-05T10:00:00Z");
	const tuesday = new Date("2026-01-06T10:00:00Z");

	it("are a file a day, in which a measure that ran again replaces its own", () => {
		keep(
			{ figures: [figure("reads", 1), figure("http", 2)] },
			{ directory, now: monday },
		);
		const path = keep(
			{ figures: [figure("http", 3)] },
			{ directory, now: monday },
		);
		expect(readdirSync(directory)).toHaveLength(1);
		const kept = JSON.parse(readFileSync(path, "utf8"));
		expect(kept).toMatchObject({ date: "2026-01-05" });
		expect(kept.machine.cores).toBeGreaterThan(0);
		expect(kept.figures).toEqual([figure("reads", 1), figure("http", 3)]);
	});

	it("are what a later run is shown beside", () => {
		expect(keptBefore(directory)(figure("http", 9))).toBeUndefined();
		keep({ figures: [figure("http", 2)] }, { directory, now: monday });
		keep({ figures: [figure("http", 3)] }, { directory, now: tuesday });
		const before = keptBefore(directory);
		expect(before(figure("http", 9))).toBe(3);
		const [, row] = table([figure("http", 9)], before);
		expect(row).toEqual(["of http", "9 ×", "", "", "3", ""]);
	});
});
