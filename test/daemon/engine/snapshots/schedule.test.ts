import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	compactableTo,
	isSnapshotDue,
	type Retention,
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
