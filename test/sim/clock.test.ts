import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LocalClock } from "./clock.js";

/** A clock that began at 100 when the world did, and a world that can be moved on. */
function clock() {
	let worldMs = 0;
	const local = new LocalClock(() => worldMs, 100);
	const runFor = (durationMs: number) => {
		worldMs += durationMs;
	};
	return { local, runFor, world: () => worldMs };
}

const change = fc.record({
	runMs: fc.integer({ min: 1, max: 1000 }),
	rate: fc.constantFrom(0.25, 0.5, 1, 2, 4),
	jumpMs: fc.constantFrom(0, 0, 10, 500),
});

describe("a node's clock", () => {
	it("knows at which of the world's times it showed what it shows, through all changes of its rate", () => {
		fc.assert(
			fc.property(fc.array(change, { maxLength: 10 }), (changes) => {
				const { local, runFor, world } = clock();
				const shown: [number, number][] = [];
				for (const { runMs, rate, jumpMs } of changes) {
					runFor(runMs);
					local.set(rate, jumpMs);
					runFor(1);
					shown.push([local.nowMs, world()]);
				}
				for (const [localMs, worldMs] of shown)
					expect(local.worldMsAt(localMs)).toBeCloseTo(worldMs, 6);
			}),
		);
	});

	it("takes for the time of what it jumped over the time of the jump", () => {
		const { local, runFor } = clock();
		runFor(50);
		local.set(2, 1000);
		runFor(50);
		expect(local.nowMs).toBe(1250);
		expect(local.worldMsAt(125)).toBe(25);
		expect(local.worldMsAt(700)).toBe(50);
		expect(local.worldMsAt(1150)).toBe(50);
		expect(local.worldMsAt(1250)).toBe(100);
	});

	it("showed nothing less than it began with", () => {
		expect(clock().local.worldMsAt(99)).toBe(Number.NEGATIVE_INFINITY);
	});
});
