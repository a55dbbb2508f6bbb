import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CatchUp } from "../../src/daemon/catch-up.js";

describe("the lag behind the leader", () => {
	it("is unknown until the leader has been heard", () => {
		const lag = new CatchUp();
		lag.observe({ applied: 100, leader: null, nowMs: 5 });
		expect(lag.agoMs(5)).toBeNull();
	});

	it("is the age of the leader's word once that is applied", () => {
		const lag = new CatchUp();
		lag.observe({
			applied: 10,
			leader: { index: 10, heardAgoMs: 30 },
			nowMs: 100,
		});
		expect(lag.agoMs(100)).toBe(30);
	});

	it("stays small under load, though the node is always some entries behind", () => {
		const lag = new CatchUp();
		for (let nowMs = 0; nowMs < 5000; nowMs += 50) {
			lag.observe({
				applied: nowMs - 60,
				leader: { index: nowMs, heardAgoMs: 0 },
				nowMs,
			});
		}
		expect(lag.agoMs(5000)).toBeLessThanOrEqual(200);
	});

	it("grows when the node applies nothing, and when it hears nothing", () => {
		const stuck = new CatchUp();
		const deaf = new CatchUp();
		for (let nowMs = 0; nowMs <= 3000; nowMs += 100) {
			stuck.observe({
				applied: 0,
				leader: { index: nowMs, heardAgoMs: 0 },
				nowMs,
			});
			deaf.observe({
				applied: 7,
				leader: { index: 7, heardAgoMs: nowMs },
				nowMs,
			});
		}
		expect(stuck.agoMs(3000)).toBe(3000);
		expect(deaf.agoMs(3000)).toBe(3000);
	});

	it("never claims a moment at which the leader stood higher than what is applied", () => {
		const move = fc.record({
			passMs: fc.integer({ min: 0, max: 100 }),
			commits: fc.nat({ max: 5 }),
			applies: fc.nat({ max: 5 }),
			hears: fc.boolean(),
		});
		fc.assert(
			fc.property(fc.array(move, { maxLength: 80 }), (moves) => {
				const lag = new CatchUp();
				const committedAt: { atMs: number; index: number }[] = [
					{ atMs: 0, index: 0 },
				];
				let [nowMs, commit, applied] = [0, 0, 0];
				let heard: { index: number; atMs: number } | null = null;
				for (const { passMs, commits, applies, hears } of moves) {
					nowMs += passMs;
					commit += commits;
					committedAt.push({ atMs: nowMs, index: commit });
					if (hears) heard = { index: commit, atMs: nowMs };
					applied = Math.min(commit, applied + applies);
					lag.observe({
						applied,
						leader: heard && {
							index: heard.index,
							heardAgoMs: nowMs - heard.atMs,
						},
						nowMs,
					});
					const agoMs = lag.agoMs(nowMs);
					if (agoMs === null) continue;
					const then = committedAt.filter(
						(entry) => entry.atMs < nowMs - agoMs,
					);
					expect(applied).toBeGreaterThanOrEqual(then.at(-1)?.index ?? 0);
				}
			}),
		);
	});
});
