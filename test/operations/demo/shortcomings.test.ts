import { describe, expect, it } from "vitest";
import {
	type DemoSummary,
	shortcomings,
} from "../../../src/operations/demo/summary.js";

const node = (id: string) => ({ id, downtimeMs: 800, connectionsMoved: 8 });

/** A roll that went well: n2 was restarted first, and eight of those that began there moved twice. */
const well: DemoSummary = {
	requests: { ok: 100, failed: 0 },
	writes: { ok: 60, maxMs: 50, p50Ms: 2, p99Ms: 20 },
	leaderless: { maxMs: 40 },
	subscribers: {
		count: 20,
		minMoves: 1,
		medianMoves: 1,
		maxMoves: 2,
		movedTimes: [0, 12, 8],
		movedTwiceFrom: { n2: 8 },
		events: 1200,
		missed: 0,
		doubled: 0,
	},
	lostWrites: 0,
	nodes: [node("n2"), node("n3"), node("n1")],
	rollMs: 5000,
	durationMs: 9000,
	failures: [],
};

const subscribers = (changes: Partial<DemoSummary["subscribers"]>) =>
	shortcomings({ ...well, subscribers: { ...well.subscribers, ...changes } });

describe("what the demo finds wanting", () => {
	it("is nothing when only those that began on the first node restarted moved twice", () => {
		expect(shortcomings(well)).toEqual([]);
	});

	it("is a failed request, with the first in words", () => {
		expect(
			shortcomings({
				...well,
				requests: { ok: 98, failed: 2 },
				failures: ["writer 1: ECONNRESET", "writer 2: 503"],
			}),
		).toEqual(["2 requests failed (writer 1: ECONNRESET)"]);
	});

	it("is a missed event", () => {
		expect(subscribers({ missed: 3 })).toEqual(["3 events were missed"]);
	});

	it("is an event that came twice", () => {
		expect(subscribers({ doubled: 4 })).toEqual(["4 events came twice"]);
	});

	it("is a subscriber that moved twice though it did not begin on the first node restarted", () => {
		expect(subscribers({ movedTwiceFrom: { n2: 8, n1: 1, n3: 2 } })).toEqual([
			"3 subscribers moved twice and did not begin on the first node restarted",
		]);
	});

	it("is a subscriber that moved twice from nobody knows where", () => {
		expect(subscribers({ movedTwiceFrom: { "?": 1 } })).toEqual([
			"1 subscribers moved twice and did not begin on the first node restarted",
		]);
	});

	it("is a subscriber that moved three times, wherever it began", () => {
		expect(subscribers({ maxMoves: 3 })).toEqual([
			"a subscriber moved more than twice",
		]);
	});

	it("is a lost write", () => {
		expect(shortcomings({ ...well, lostWrites: 1 })).toEqual([
			"1 acknowledged writes are missing on a node",
		]);
	});

	it("is everything that is wrong, not only the first of it", () => {
		expect(
			shortcomings({
				...well,
				lostWrites: 1,
				subscribers: { ...well.subscribers, missed: 1, maxMoves: 3 },
			}),
		).toHaveLength(3);
	});
});
