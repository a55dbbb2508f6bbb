import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DrainEffect, DrainLease } from "../../src/daemon/drain.js";

const announce = { leaseMs: 1000, close: false, closeOverMs: 0 };
const closing = { leaseMs: 1000, close: true, closeOverMs: 300 };

describe("a drain", () => {
	it("ends by itself when nobody renews it, and gives the connections back", () => {
		const lease = new DrainLease();
		expect(lease.renew(closing, 0)).toEqual([
			{ kind: "begin-closing", closeOverMs: 300 },
		]);
		expect(lease.tick(999)).toEqual([]);
		expect(lease.tick(1000)).toEqual([{ kind: "stop-closing" }]);
		expect(lease.view(1000)).toEqual({
			phase: "serving",
			draining: false,
			closing: false,
			leaseLeftMs: 0,
		});
	});

	it("lives on as long as it is renewed, without pacing its connections afresh", () => {
		const lease = new DrainLease();
		lease.renew(closing, 0);
		for (let nowMs = 500; nowMs < 10_000; nowMs += 500) {
			expect(lease.renew(closing, nowMs)).toEqual([]);
			expect(lease.tick(nowMs)).toEqual([]);
		}
		expect(lease.view(9500).leaseLeftMs).toBe(1000);
	});

	it("is deepened by a later call, and never shallowed by one", () => {
		const lease = new DrainLease();
		lease.renew(announce, 0);
		expect(lease.view(0).phase).toBe("announced");
		lease.renew(closing, 10);
		lease.renew(announce, 20);
		expect(lease.view(20)).toMatchObject({ phase: "closing", closing: true });
	});

	it("that ran out unnoticed begins anew with the next call", () => {
		const lease = new DrainLease();
		lease.renew(closing, 0);
		expect(lease.renew(announce, 5000)).toEqual([{ kind: "stop-closing" }]);
		expect(lease.view(5000).phase).toBe("announced");
	});

	it("of a stopping node neither ends nor runs out", () => {
		const lease = new DrainLease();
		lease.renew(announce, 0);
		lease.stop();
		expect(lease.end()).toEqual([]);
		expect(lease.tick(1_000_000)).toEqual([]);
		expect(lease.renew(closing, 10)).toEqual([]);
		expect(lease.stopClosing(50)).toEqual([
			{ kind: "begin-closing", closeOverMs: 50 },
		]);
		expect(lease.view(1_000_000)).toEqual({
			phase: "stopping",
			draining: true,
			closing: true,
			leaseLeftMs: 0,
		});
	});

	it("keeps its promises under every sequence of calls", () => {
		const call = fc.oneof(
			fc.record({
				kind: fc.constant("renew" as const),
				leaseMs: fc.integer({ min: 1, max: 50 }),
				close: fc.boolean(),
				closeOverMs: fc.integer({ min: 0, max: 50 }),
			}),
			fc.constantFrom(
				{ kind: "end" as const },
				{ kind: "tick" as const },
				{ kind: "stop" as const },
				{ kind: "stop-closing" as const },
			),
		);
		const step = fc.record({
			afterMs: fc.integer({ min: 0, max: 40 }),
			call,
		});
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
				const lease = new DrainLease();
				let nowMs = 0;
				let renewedUntilMs = 0;
				let stopped = false;
				let moving = false;
				const follow = (effects: readonly DrainEffect[]) => {
					for (const effect of effects) {
						// Begin and stop alternate: the owner never has to count.
						expect(effect.kind === "begin-closing").toBe(!moving);
						moving = effect.kind === "begin-closing";
					}
				};
				for (const { afterMs, call } of steps) {
					nowMs += afterMs;
					if (call.kind === "renew") {
						follow(lease.renew(call, nowMs));
						if (!stopped) renewedUntilMs = nowMs + call.leaseMs;
					} else if (call.kind === "end") follow(lease.end());
					else if (call.kind === "tick") follow(lease.tick(nowMs));
					else if (call.kind === "stop") {
						lease.stop();
						stopped = true;
					} else follow(lease.stopClosing(5));

					follow(lease.tick(nowMs));
					const view = lease.view(nowMs);
					expect(view.closing).toBe(moving);
					if (stopped) expect(view.phase).toBe("stopping");
					else if (view.draining) expect(nowMs).toBeLessThan(renewedUntilMs);
					if (view.closing) expect(view.draining).toBe(true);
				}
				// Left alone, every node that does not stop serves again.
				follow(lease.tick(nowMs + 51));
				expect(lease.view(nowMs + 51).draining).toBe(stopped);
				expect(moving && !stopped).toBe(false);
			}),
			{ numRuns: 500 },
		);
	});
});
