import { beforeEach, describe, expect, it } from "vitest";
import { ClusterClock } from "../../../src/daemon/engine/cluster-clock.js";
import {
	createControlState,
	executeControl,
} from "../../../src/machines/control.js";

const epochMs = 1_800_000_000_000;
const hourMs = 3_600_000;

describe("the time that a leader tells", () => {
	let [wallMs, passedMs, toldMs] = [epochMs, 0, 0];
	const clock = () =>
		new ClusterClock({
			told: () => toldMs,
			wallMs: () => wallMs,
			monotonicMs: () => passedMs,
		});
	const pass = (ms: number) => {
		wallMs += ms;
		passedMs += ms;
	};

	beforeEach(() => {
		[wallMs, passedMs, toldMs] = [epochMs, 0, 0];
	});

	it("is that of its own clock", () => {
		const one = clock();
		expect(one.nowMs()).toBe(epochMs);
		pass(5000);
		toldMs = epochMs + 2000;
		expect(one.nowMs()).toBe(epochMs + 5000);
	});

	it("goes on from where a leader left it whose clock was ahead, as fast as time passes", () => {
		toldMs = epochMs + hourMs;
		const one = clock();
		expect(one.nowMs()).toBe(epochMs + hourMs);
		pass(10_000);
		expect(one.nowMs()).toBe(epochMs + hourMs + 10_000);
		// What it tells comes back to it by the log.
		toldMs = one.nowMs();
		pass(10_000);
		one.nowMs();
		pass(10_000);
		expect(one.nowMs()).toBe(epochMs + hourMs + 20_000);
	});

	it("does not run backwards with its own clock", () => {
		const one = clock();
		toldMs = one.nowMs();
		one.nowMs();
		wallMs -= hourMs;
		pass(3000);
		expect(one.nowMs()).toBe(epochMs + 3000);
	});

	it("ends a lock that was taken while the clock was ahead", () => {
		const state = createControlState();
		executeControl(
			state,
			{
				...{ type: "acquire-lock", holder: "ann@desk", host: "desk" },
				...{ operation: "roll", ttlMs: 20_000, nowMs: epochMs + hourMs },
			},
			1,
		);
		expect(state.lock).not.toBeNull();
		const one = new ClusterClock({
			told: () => state.nowMs,
			wallMs: () => wallMs,
			monotonicMs: () => passedMs,
		});
		for (let index = 2; index < 6; index++) {
			executeControl(state, { type: "tick", nowMs: one.nowMs() }, index);
			pass(10_000);
		}
		expect(state.lock).toBeNull();
	});
});
