import { describe, expect, it } from "vitest";
import type { Subscriber } from "../../../src/operations/demo/subscribers.js";
import { summarise } from "../../../src/operations/demo/summarise.js";
import { quantile } from "../../../src/operations/demo/summary.js";
import type { Traffic } from "../../../src/operations/demo/traffic.js";
import type { RollReport } from "../../../src/operations/roll/report.js";

const roll: RollReport = {
	operation: "rolling-restart",
	cluster: "demo",
	dryRun: false,
	plan: [],
	nodes: [
		{ node: "n2", connectionsMoved: 7, drainMs: 900, downtimeMs: 812.34 },
		{ node: "n1", connectionsMoved: 9, drainMs: 900, downtimeMs: 700 },
	],
	transfers: [],
	leaderless: { maxMs: 41.26 } as RollReport["leaderless"],
	skipped: [],
	cost: null,
	durationMs: 5000.04,
};

function traffic(changes: Partial<Traffic> = {}): Traffic {
	return {
		acknowledged: [2, 3, 5].map((index) => ({
			key: `w0/${index}`,
			value: "v",
			index,
		})),
		writeLatenciesMs: [30.06, 1, 2],
		reads: 4,
		failures: [],
		beginMeasuring: () => {},
		stop: async () => {},
		...changes,
	};
}

function subscriber(changes: Partial<Subscriber> = {}): Subscriber {
	return {
		received: [2, 3, 5],
		moves: 1,
		firstNode: "n1",
		failure: null,
		...changes,
	};
}

function summary(
	subscribers: readonly Subscriber[],
	changes: Partial<Traffic> = {},
	lost = 0,
) {
	return summarise({
		roll,
		traffic: traffic(changes),
		subscribers,
		lost,
		durationMs: 9000,
	});
}

describe("the demo's summary", () => {
	it("counts requests and writes, and takes times from the roll's own report", () => {
		expect(summary([subscriber()], {}, 3)).toMatchObject({
			requests: { ok: 7, failed: 0 },
			writes: { ok: 3, p50Ms: 2, p99Ms: 30.1, maxMs: 30.1 },
			leaderless: { maxMs: 41.3 },
			lostWrites: 3,
			nodes: [
				{ id: "n2", downtimeMs: 812.3, connectionsMoved: 7 },
				{ id: "n1", downtimeMs: 700, connectionsMoved: 9 },
			],
			rollMs: 5000,
			durationMs: 9000,
			failures: [],
		});
	});

	it("adds up what all subscribers saw", () => {
		const { subscribers } = summary([
			subscriber(),
			subscriber({ received: [2, 5] }),
			subscriber({ received: [2, 3, 3, 5] }),
		]);
		expect(subscribers).toMatchObject({
			count: 3,
			events: 9,
			missed: 1,
			doubled: 1,
		});
	});

	it("tells how often subscribers moved, and where those who moved twice or more began", () => {
		const { subscribers } = summary([
			subscriber({ moves: 2, firstNode: "n2" }),
			subscriber({ moves: 3, firstNode: "n2" }),
			subscriber({ moves: 2, firstNode: null }),
			subscriber({ moves: 1, firstNode: "n1" }),
			subscriber({ moves: 0, firstNode: "n3" }),
		]);
		expect(subscribers).toMatchObject({
			minMoves: 0,
			medianMoves: 2,
			maxMoves: 3,
			movedTimes: [1, 1, 2, 1],
			movedTwiceFrom: { n2: 2, "?": 1 },
		});
	});

	it("counts a subscriber that ended as a failure, and shows the first few failures in words", () => {
		const failures = Array.from({ length: 12 }, (_, at) => `writer 0: ${at}`);
		expect(
			summary([subscriber({ failure: "gone" }), subscriber()]),
		).toMatchObject({
			requests: { failed: 1 },
			failures: ["subscriber: gone"],
		});
		const many = summary([subscriber({ failure: "gone" })], { failures });
		expect(many.requests.failed).toBe(13);
		expect(many.failures).toEqual(failures.slice(0, 10));
	});

	it("is all zeros for no load at all", () => {
		const none = { acknowledged: [], writeLatenciesMs: [], reads: 0 };
		expect(summary([], none)).toMatchObject({
			requests: { ok: 0, failed: 0 },
			writes: { ok: 0, maxMs: 0, p50Ms: 0, p99Ms: 0 },
			subscribers: { count: 0, minMoves: 0, maxMoves: 0, movedTwiceFrom: {} },
		});
	});
});

describe("a quantile", () => {
	it("is a value of those given, the greatest for all of them, and 0 for none", () => {
		expect(quantile([1, 2, 3, 4], 0.5)).toBe(3);
		expect(quantile([1, 2, 3, 4], 1)).toBe(4);
		expect(quantile([], 0.99)).toBe(0);
	});
});
