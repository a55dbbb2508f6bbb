import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDue, retryMs } from "../../../src/daemon/backup/due.js";

const hour = 3_600_000;
const schedule = {
	...{ intervalMs: hour, keep: 3, directory: "/backups", command: [] },
	s3: null,
};
const good = {
	...{ succeededAtMs: 10 * hour, index: 5, node: "n1", file: "/f", bytes: 1 },
	...{ attemptedAtMs: 10 * hour, fault: "" },
};

describe("when the cluster owes itself a snapshot", () => {
	it("is at once where a schedule has just been set", () => {
		expect(isDue(schedule, null, 0)).toBe(true);
	});

	it("is when the interval has passed since the last one that went well", () => {
		expect(isDue(schedule, good, 11 * hour - 1)).toBe(false);
		expect(isDue(schedule, good, 11 * hour)).toBe(true);
	});

	it("is a tenth of the interval after an attempt that failed, and not at once", () => {
		const failed = { ...good, attemptedAtMs: 11 * hour, fault: "no room" };
		expect(isDue(schedule, failed, 11.1 * hour - 1)).toBe(false);
		expect(isDue(schedule, failed, 11.1 * hour)).toBe(true);
	});

	it("is never sooner than ten seconds after an attempt that failed", () => {
		expect(retryMs(1000)).toBe(10_000);
		const first = { ...good, succeededAtMs: null, fault: "no room" };
		const often = { ...schedule, intervalMs: 1000 };
		expect(isDue(often, first, 10 * hour + 9_999)).toBe(false);
		expect(isDue(often, first, 10 * hour + 10_000)).toBe(true);
	});

	it("is not put off for long by a leader whose clock was far ahead", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: -4 * hour, max: 4 * hour }),
				fc.boolean(),
				(aheadMs, hasFailed) => {
					const nowMs = 2000 * hour;
					const last = {
						...{ ...good, succeededAtMs: nowMs + aheadMs },
						...{ attemptedAtMs: nowMs + aheadMs, fault: hasFailed ? "f" : "" },
					};
					// Whatever was written down: there is a snapshot within two intervals.
					const later = [0, 1, 2].map((n) =>
						isDue(schedule, last, nowMs + n * hour),
					);
					expect(later).toContain(true);
				},
			),
		);
	});
});
