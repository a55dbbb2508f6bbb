import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Throttle } from "../../src/client/throttle.js";
import { Random } from "../sim/random.js";

/** A node that takes so many a millisecond of what is sent to it, and refuses the rest. */
function sent(
	throttle: Throttle,
	world: { perMs: number; takesPerMs: number; fromMs: number; toMs: number },
) {
	let [sentCount, accepted] = [0, 0];
	for (let nowMs = world.fromMs; nowMs < world.toMs; nowMs++) {
		let room = world.takesPerMs;
		for (let at = 0; at < world.perMs; at++) {
			if (throttle.holds(nowMs)) continue;
			sentCount++;
			if (room-- > 0) {
				accepted++;
				throttle.accepted();
			} else throttle.refused();
		}
	}
	return { sent: sentCount, accepted };
}

const seeded = () => {
	const random = new Random(7);
	return new Throttle(() => random.below(1_000_000) / 1_000_000);
};

describe("what a client holds back", () => {
	it("is nothing as long as the node accepts what it is sent", () => {
		const calm = { perMs: 10, takesPerMs: 10, fromMs: 0, toMs: 5000 };
		expect(sent(seeded(), calm)).toEqual({ sent: 50_000, accepted: 50_000 });
	});

	it("is nothing because of a few refusals among many", () => {
		const throttle = seeded();
		for (let at = 0; at < 1000; at++) throttle.accepted();
		for (let at = 0; at < 100; at++) throttle.refused();
		expect(throttle.holds(0)).toBe(false);
	});

	it("is most of the excess, so that the node is kept busy and little more", () => {
		const throttle = seeded();
		const over = { perMs: 30, takesPerMs: 10 };
		sent(throttle, { ...over, fromMs: 0, toMs: 2000 });
		const held = sent(throttle, { ...over, fromMs: 2000, toMs: 6000 });
		expect(held.accepted).toBeGreaterThan(0.95 * 40_000);
		expect(held.sent).toBeLessThan(1.4 * 40_000);
	});

	it("begins to be held back soon after hours without a refusal", () => {
		const throttle = seeded();
		for (let nowMs = 0; nowMs < 3_600_000; nowMs += 100) {
			expect(throttle.holds(nowMs)).toBe(false);
			for (let at = 0; at < 100; at++) throttle.accepted();
		}
		const over = { perMs: 30, takesPerMs: 10 };
		sent(throttle, { ...over, fromMs: 3_600_000, toMs: 3_602_000 });
		const held = sent(throttle, {
			...{ ...over, fromMs: 3_602_000, toMs: 3_603_000 },
		});
		expect(held.sent).toBeLessThan(1.5 * 10_000);
	});

	it("ends when the node takes everything again", () => {
		const throttle = seeded();
		sent(throttle, { perMs: 30, takesPerMs: 0, fromMs: 0, toMs: 5000 });
		sent(throttle, { perMs: 5, takesPerMs: 10, fromMs: 5000, toMs: 12_000 });
		const calm = { perMs: 5, takesPerMs: 10, fromMs: 12_000, toMs: 13_000 };
		expect(sent(throttle, calm)).toEqual({ sent: 5000, accepted: 5000 });
	});

	it("leaves enough to hear of it when a node that refuses everything takes some again", () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 50 }), (perMs) => {
				const throttle = seeded();
				const deaf = { perMs, takesPerMs: 0, fromMs: 0, toMs: 3000 };
				expect(sent(throttle, deaf).sent).toBeGreaterThan(20);
				const after = { ...deaf, fromMs: 3000, toMs: 4000 };
				expect(sent(throttle, after).sent).toBeGreaterThan(5);
			}),
			{ numRuns: 20 },
		);
	});
});
