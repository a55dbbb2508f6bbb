import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CatchUp, Rate } from "../../src/raft/catch-up.js";

const roundLimitMs = 1000;

function status(
	catchUp: CatchUp,
	match: number,
	lastIndex: number,
	nowMs: number,
	more: { readonly leaderRate?: number; readonly heard?: boolean } = {},
) {
	const { leaderRate = 0, heard = true } = more;
	return catchUp.status({
		...{ match, lastIndex, nowMs, roundLimitMs, leaderRate, heard },
	});
}

describe("catching up", () => {
	it("is done when a round took less than an election timeout, although there is always something new (thesis, section 4.2.1)", () => {
		const catchUp = new CatchUp(1000, 0);
		catchUp.advance(500, 1100, 500);
		expect(status(catchUp, 500, 1100, 500).caughtUp).toBe(false);
		// The first round took too long, the second does not.
		catchUp.advance(1000, 1200, 1500);
		expect(status(catchUp, 1000, 1200, 1500).caughtUp).toBe(false);
		catchUp.advance(1200, 1250, 1900);
		expect(status(catchUp, 1200, 1250, 1900)).toMatchObject({
			lagEntries: 50,
			caughtUp: true,
		});
	});

	it("is undone when the round under way takes too long, and when the member is not heard", () => {
		const catchUp = new CatchUp(10, 0);
		catchUp.advance(10, 20, 100);
		expect(status(catchUp, 10, 20, 1100).caughtUp).toBe(true);
		expect(status(catchUp, 10, 20, 1101).caughtUp).toBe(false);
		expect(status(catchUp, 10, 20, 1100, { heard: false }).caughtUp).toBe(
			false,
		);
	});

	it("is not done with a long way to go, however quick the last round was (P26)", () => {
		const catchUp = new CatchUp(10, 0);
		catchUp.advance(10, 20, 100);
		expect(status(catchUp, 10, 4106, 200).caughtUp).toBe(true);
		expect(status(catchUp, 10, 4107, 200).caughtUp).toBe(false);
	});

	it("is done for one that has everything, however long ago the last entry was; never for one that has nothing", () => {
		const catchUp = new CatchUp(10, 0);
		catchUp.advance(10, 10, 5000);
		expect(status(catchUp, 10, 10, 60_000).caughtUp).toBe(true);
		expect(status(new CatchUp(0, 0), 0, 0, 10).caughtUp).toBe(false);
	});

	it("takes the time that the lag needs at the member's rate less the leader's, or for ever", () => {
		const catchUp = new CatchUp(10_000, 0);
		catchUp.advance(0, 10_000, 0);
		catchUp.advance(4000, 10_000, 2000);
		expect(status(catchUp, 4000, 10_000, 2000)).toMatchObject({
			...{ lagEntries: 6000, entriesPerSecond: 2000, remainingMs: 3000 },
		});
		const at = (leaderRate: number) =>
			status(catchUp, 4000, 10_000, 2000, { leaderRate }).remainingMs;
		expect(at(1000)).toBe(6000);
		expect(at(2000)).toBeNull();
		expect(at(9000)).toBeNull();
	});

	it("counts no rate from what the member had before this leader", () => {
		const catchUp = new CatchUp(1_000_000, 0);
		catchUp.advance(999_000, 1_000_000, 10);
		expect(status(catchUp, 999_000, 1_000_000, 1010)).toMatchObject({
			...{ entriesPerSecond: 0, remainingMs: null },
		});
	});
});

describe("a rate", () => {
	it("is never negative nor above the steepest step that was seen", () => {
		const steps = fc.array(
			fc.record({ by: fc.nat(1000), ms: fc.integer({ min: 1, max: 3000 }) }),
			{ minLength: 1 },
		);
		fc.assert(
			fc.property(steps, (given) => {
				const rate = new Rate(0, 0);
				let at = 0;
				let nowMs = 0;
				let steepest = 0;
				for (const { by, ms } of given) {
					at += by;
					nowMs += ms;
					steepest = Math.max(steepest, (by * 1000) / ms);
					rate.move(at, nowMs);
					expect(rate.perSecond(nowMs)).toBeGreaterThanOrEqual(0);
					expect(rate.perSecond(nowMs)).toBeLessThanOrEqual(steepest + 1e-6);
				}
			}),
		);
	});
});
