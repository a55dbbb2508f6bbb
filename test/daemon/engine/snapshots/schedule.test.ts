import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	compactableTo,
	isSnapshotDue,
	type Retention,
	unhurriedPace,
} from "../../../../src/daemon/engine/snapshots/schedule.js";

const limits = { snapshotEntries: 1000, snapshotLogBytes: 5000 };
const none = { entriesSince: 0, bytesSince: 0, lastFileBytes: 0 };

describe("a snapshot is due", () => {
	it.each([
		[false, none, 0],
		[false, { ...none, entriesSince: 999 }, 0],
		[true, { ...none, entriesSince: 1000 }, 0],
		[false, { ...none, entriesSince: 1000 }, 0.5],
		[true, { ...none, entriesSince: 1125 }, 0.5],
		[false, { ...none, bytesSince: 4999 }, 0],
		[true, { ...none, bytesSince: 5000 }, 0],
		// A state of 20000 bytes is not written out for each 5000 of log.
		[false, { ...none, bytesSince: 19_999, lastFileBytes: 20_000 }, 0],
		[true, { ...none, bytesSince: 20_000, lastFileBytes: 20_000 }, 0],
	])("%s for %o with spread %d", (due, pace, spread) => {
		expect(isSnapshotDue(pace, limits, spread)).toBe(due);
	});
});

describe("a snapshot that nobody waits for", () => {
	it.each([
		["twice as fast as the log has grown", 30_000, 1000, 60_000],
		["not slower than a quarter of the limit", 1000, 1000, 25_000],
		["never faster than the limit", 80_000, 1000, 100_000],
		["as fast as that where no time has passed", 10, 0, 20_000],
	])("is written %s", (_, bytesSince, sinceMs, expected) => {
		expect(unhurriedPace(bytesSince, sinceMs, 100_000)).toBe(
			Math.max(expected, 25_000),
		);
	});

	it("is done before the log has grown by as much again, if it is no larger than that and the limit lets it", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 1e9 }),
				fc.integer({ min: 1, max: 1e6 }),
				(bytesSince, sinceMs) => {
					const pace = unhurriedPace(bytesSince, sinceMs, 1e15);
					expect((bytesSince / pace) * 1000).toBeLessThanOrEqual(sinceMs);
				},
			),
		);
	});
});

describe("the log may go", () => {
	const retention: Retention = {
		...{ newest: 900, older: 500, neededFrom: Number.POSITIVE_INFINITY },
		...{ bytesHeld: 10, maxBytesHeld: 100 },
	};

	it.each([
		["up to the older snapshot when nobody needs more", retention, 500],
		["up to what a follower needs", { ...retention, neededFrom: 300 }, 299],
		[
			"up to the older one when followers need less than that",
			{ ...retention, neededFrom: 800 },
			500,
		],
		[
			"up to the newest when it takes too much room, whoever needs it (P47)",
			{ ...retention, neededFrom: 300, bytesHeld: 101 },
			900,
		],
		["not yet at its limit", { ...retention, bytesHeld: 100 }, 500],
	])("%s", (_, facts, to) => {
		expect(compactableTo(facts)).toBe(to);
	});

	it("never beyond the newest snapshot", () => {
		const index = fc.nat(1000);
		fc.assert(
			fc.property(
				...[index, index, index, fc.nat(200), fc.nat(200)],
				(older, more, neededFrom, bytesHeld, maxBytesHeld) => {
					const newest = older + more;
					const facts = { newest, older, neededFrom, bytesHeld, maxBytesHeld };
					expect(compactableTo(facts)).toBeLessThanOrEqual(newest);
				},
			),
		);
	});
});
