import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CongestionWindow } from "../../src/client/congestion-window.js";

const retryAfterMs = 50;

/**
 * A node that does so many commands a millisecond, in turn, and sends away what would wait behind `room` others; the
 * client hears of either `delayMs` later.
 */
function overloaded(options: {
	readonly delayMs: number;
	readonly perMs: number;
	readonly room: number;
	readonly offered: number;
	readonly ms: number;
	readonly window: CongestionWindow;
}) {
	const { delayMs, perMs, room, offered, ms, window } = options;
	const queue: number[] = [];
	const answers: (() => void)[][] = [];
	const counts = { done: 0, sentAway: 0, heldBack: 0, mostWaiting: 0 };
	for (let nowMs = 1; nowMs <= ms; nowMs++) {
		for (const hear of answers[nowMs] ?? []) hear();
		const heard: (() => void)[] = [];
		answers[nowMs + delayMs] = heard;
		for (let n = 0; n < offered; n++) {
			if (window.holdBackMs(nowMs) !== null) {
				counts.heldBack++;
				continue;
			}
			const order = window.sent();
			if (queue.length < room) queue.push(order);
			else {
				counts.sentAway++;
				heard.push(() => window.sentAway(order, retryAfterMs, nowMs + delayMs));
			}
		}
		for (const _ of queue.splice(0, perMs)) {
			counts.done++;
			heard.push(() => window.ended(true));
		}
		counts.mostWaiting = Math.max(counts.mostWaiting, queue.length);
	}
	return counts;
}

describe("the congestion window", () => {
	it("keeps a node busy that is offered more than it does, and has little of the rest sent to it", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 2, max: 60 }),
				fc.integer({ min: 4, max: 30 }),
				fc.integer({ min: 2, max: 10 }),
				fc.integer({ min: 1, max: 20 }),
				(perMs, roomMs, times, delayMs) => {
					const counts = overloaded({
						...{ delayMs, perMs, room: perMs * roomMs, offered: perMs * times },
						...{ ms: 6000, window: new CongestionWindow() },
					});
					expect(counts.done).toBeGreaterThan(0.9 * perMs * 6000);
					expect(counts.sentAway).toBeLessThan(0.1 * counts.done);
					expect(counts.heldBack).toBeGreaterThan(0);
				},
			),
			{ numRuns: 15 },
		);
	});

	it("holds nothing back from a node that has room", () => {
		const counts = overloaded({
			...{ delayMs: 3, perMs: 50, room: 1000, offered: 45 },
			...{ ms: 1000, window: new CongestionWindow() },
		});
		expect(counts).toMatchObject({ sentAway: 0, heldBack: 0 });
	});

	it("is cut once for all that was sent before the cut", () => {
		const window = new CongestionWindow();
		const orders = Array.from({ length: 100 }, () => window.sent());
		for (const order of orders.slice(50)) window.sentAway(order, 20, 1);
		expect(window.holdBackMs(1)).toBeNull();
		for (let n = 0; n < 20; n++) {
			expect(window.holdBackMs(1)).toBeNull();
			window.sent();
		}
		expect(window.holdBackMs(1)).toBe(20);
	});

	it("lets some through however often a node says no, and all after a second in which it held nothing back", () => {
		const window = new CongestionWindow();
		for (let n = 0; n < 1000; n++) window.sentAway(window.sent(), 20, n);
		for (let n = 0; n < 8; n++) {
			expect(window.holdBackMs(1000)).toBeNull();
			window.sent();
		}
		// What is held back is no less than what is sent away.
		expect(window.holdBackMs(1998)).toBe(20);
		expect(window.holdBackMs(2997)).toBe(20);
		expect(window.holdBackMs(3997)).toBeNull();
	});
});
