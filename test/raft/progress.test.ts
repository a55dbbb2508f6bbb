import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Inflight, Progress } from "../../src/raft/progress.js";

function makeProgress(next: number): Progress {
	return new Progress({
		id: "n2",
		session: 1,
		next,
		nowMs: 0,
		maxInflightMessages: 4,
		maxInflightBytes: 1000,
	});
}

describe("progress of a follower", () => {
	it("keeps next above match whatever is acknowledged and refused", () => {
		const answers = fc.array(
			fc.record({
				success: fc.boolean(),
				index: fc.nat(50),
				common: fc.nat(50),
			}),
		);
		fc.assert(
			fc.property(answers, (given) => {
				const progress = makeProgress(51);
				for (const { success, index, common } of given) {
					if (success) progress.acknowledge(index);
					else progress.reject(index, common);
					expect(progress.next).toBeGreaterThan(progress.match);
				}
			}),
		);
	});

	it("does not ask in a circle a follower that refuses what it once acknowledged", () => {
		const progress = makeProgress(11);
		progress.acknowledge(10);
		progress.becomeProbe(11);
		expect(progress.reject(10, 5)).toBe(true);
		expect(progress.next).toBe(11);
		expect(progress.canSend).toBe(false);
	});

	it("moves back past a whole term with each refusal, and on at once", () => {
		const progress = makeProgress(100);
		expect(progress.reject(99, 40)).toBe(true);
		expect(progress.next).toBe(41);
		expect(progress.canSend).toBe(true);
	});
});

describe("the window of unanswered messages", () => {
	it("counts exactly what was sent and not yet acknowledged", () => {
		const steps = fc.array(
			fc.record({ ack: fc.boolean(), bytes: fc.nat(100) }),
		);
		fc.assert(
			fc.property(steps, (given) => {
				const inflight = new Inflight(1000, 1_000_000);
				let open: { last: number; bytes: number }[] = [];
				for (const [last, { ack, bytes }] of given.entries()) {
					if (ack) {
						const upTo = (open[0]?.last ?? 0) + bytes;
						inflight.freeTo(upTo);
						open = open.filter((one) => one.last > upTo);
					} else {
						inflight.add(last, bytes);
						open.push({ last, bytes });
					}
					expect(inflight.messages).toBe(open.length);
					expect(inflight.bytes).toBe(
						open.reduce((sum, one) => sum + one.bytes, 0),
					);
				}
			}),
		);
	});
});
