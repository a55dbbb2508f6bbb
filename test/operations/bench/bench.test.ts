import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import {
	type BenchWish,
	bench,
	planBench,
	requireAnswers,
} from "../../../src/operations/bench/bench.js";
import {
	type Crew,
	LoadError,
	type OpenCrew,
} from "../../../src/operations/bench/crew.js";
import { LatencyHistogram } from "../../../src/operations/bench/latency-histogram.js";
import type { Loop, Sample } from "../../../src/operations/bench/load.js";
import {
	type BenchRun,
	isUnanswered,
} from "../../../src/operations/bench/result.js";
import type { OperationEvent } from "../../../src/operations/events.js";
import { FakeClock } from "../../fakes/fake-clock.js";

const prefix = "raftctl/bench/x/";
const wish: BenchWish = {
	targets: [
		{
			...{ system: "raftd", endpoints: ["n1:1"], tls: null, spread: false },
			consistency: "linearizable",
		},
	],
	requests: {
		...{ prefix, keys: 100, bytes: 256, reads: 0 },
		...{ timeoutMs: 1000, connections: 4 },
	},
	course: { mode: "closed", clients: 8 },
	...{ threads: 1, warmUpMs: 2000, durationMs: 3000 },
};
const etcd = { system: "etcd" as const, endpoints: ["e1:2379"] };

/** Answers each second of a closed loop with `peak`, of an open one with what it asks for up to `peak`. */
class FakeCrew implements Crew {
	readonly told: string[] = [];
	peak = 1000;
	busy = 0.2;
	lookFails: Error | null = null;
	checkFails: Error | null = null;
	removeFails: Error | null = null;
	onTake: () => void = () => {};
	#loop: Loop | null = null;

	async look() {
		this.told.push("look");
		if (this.lookFails !== null) throw this.lookFails;
	}

	async check() {
		this.told.push("check");
		if (this.checkFails !== null) throw this.checkFails;
	}

	async fill() {
		this.told.push("fill");
	}

	async begin(loop: Loop) {
		this.#loop = loop;
		this.told.push(
			loop.mode === "open" ? `begin ${loop.perSecond}/s` : "begin",
		);
	}

	async mark() {
		this.told.push("mark");
	}

	async take(): Promise<readonly Sample[]> {
		const isOpen = this.#loop?.mode === "open";
		const asked =
			this.#loop?.mode === "open" ? this.#loop.perSecond : this.peak;
		const answered = this.#loop === null ? 0 : Math.min(this.peak, asked);
		const latencies = new LatencyHistogram();
		for (let at = 0; at < answered; at++) latencies.record(2);
		const counts = latencies.take();
		const none = new LatencyHistogram().take();
		this.onTake();
		return [
			{
				...{ answered, writes: counts, reads: none, busy: this.busy },
				...{ service: isOpen ? counts : none, late: none, errors: {} },
			},
		];
	}

	async stop() {
		this.#loop = null;
		this.told.push("stop");
	}

	async remove() {
		this.told.push("remove");
		if (this.removeFails !== null) throw this.removeFails;
		return 100;
	}

	async close() {
		this.told.push("close");
	}
}

function ground() {
	const crews: FakeCrew[] = [];
	const events: OperationEvent[] = [];
	const controller = new AbortController();
	const prepare: ((crew: FakeCrew) => void)[] = [];
	const openCrew: OpenCrew = async () => {
		const crew = new FakeCrew();
		for (const change of prepare) change(crew);
		crews.push(crew);
		return crew;
	};
	const context = {
		...{ cluster: "demo", openCrew, clock: new FakeClock() },
		...{ emit: (event: OperationEvent) => events.push(event) },
		signal: controller.signal,
	};
	return { crews, events, controller, prepare, context };
}

describe("a bench", () => {
	it("measures after the warm-up, second by second, and removes its keys", async () => {
		const { context, crews, events } = ground();
		const report = await bench(context, wish);
		expect(crews[0]?.told).toEqual([
			...["check", "begin", "mark", "stop", "remove", "close"],
		]);
		expect(report.results[0]?.runs).toMatchObject([
			{
				...{ perSecond: 1000, seconds: 3, failed: 0, interrupted: false },
				bytesPerSecond: 256_000,
				latency: { count: 3000, p50Ms: 2, p999Ms: 2 },
				remarks: [],
			},
		]);
		expect(report.results[0]?.runs[0]?.series).toHaveLength(3);
		expect(report.keys).toEqual({ prefix, removed: 100, left: [] });
		const notes = events.filter(({ type }) => type === "step-progress");
		expect(notes).toHaveLength(3);
	});

	it("does what its plan says, in that order", async () => {
		const { context, events } = ground();
		const mixed = { ...wish, requests: { ...wish.requests, reads: 0.5 } };
		const two = { ...mixed, targets: [...wish.targets, etcd] };
		await bench(context, two);
		const begun = events.flatMap((event) =>
			event.type === "step-started" ? [event.step] : [],
		);
		expect(begun).toEqual(planBench(two).map(({ id }) => id));
		expect(begun).toContain("raftd/fill");
	});

	it("removes its keys when it is interrupted, and tells what was measured", async () => {
		const { context, controller, crews, prepare } = ground();
		let seconds = 0;
		prepare.push((crew) => {
			crew.onTake = () => {
				if (++seconds === 2) controller.abort(new Error("Ctrl-C"));
			};
		});
		const report = await bench(context, {
			...{ ...wish, durationMs: 60_000, targets: [...wish.targets, etcd] },
		});
		expect(report.interrupted).toBe(true);
		expect(report.results).toHaveLength(1);
		expect(report.results[0]?.runs).toMatchObject([
			{ seconds: 2, perSecond: 1000, interrupted: true },
		]);
		expect(crews[0]?.told.slice(-2)).toEqual(["remove", "close"]);
	});

	it("says so when its keys could not be removed, and the numbers stand", async () => {
		const { context, events, prepare } = ground();
		prepare.push((crew) => {
			crew.removeFails = new Error("no leader");
		});
		const report = await bench(context, wish);
		expect(report.keys).toEqual({ prefix, removed: 0, left: ["raftd"] });
		expect(report.results[0]?.runs[0]?.perSecond).toBe(1000);
		expect(events).toContainEqual({
			...{ type: "warning", node: null },
			message: `the keys below ${prefix} are still in raftd: no leader`,
		});
	});

	it("of what takes no write is refused, and closes what it opened", async () => {
		const { context, crews, prepare } = ground();
		const kind = "unreachable";
		prepare.push((crew) => {
			crew.checkFails = new LoadError({ kind, message: "no connection" });
		});
		const failure = await bench(context, wish).catch((error) => error);
		expect(failure).toBeInstanceOf(OperatorError);
		expect(failure).toMatchObject({ kind, problems: ["tried n1:1"] });
		expect(crews[0]?.told).toEqual(["check", "close"]);
	});

	it("of two systems says how the first did over the second", async () => {
		const { context, crews, prepare } = ground();
		prepare.push((crew) => {
			if (crews.length === 1) crew.peak = 400;
		});
		const two = { ...wish, targets: [...wish.targets, etcd] };
		const { compared } = await bench(context, two);
		expect(compared).toEqual({
			...{ of: "raftd", to: "etcd", perSecond: 2.5, p50: 1, p99: 1 },
		});
	});
});

describe("a system that answers nothing", () => {
	it("is told from one that was not asked, and from one with failures", async () => {
		const { context } = ground();
		const report = await bench(context, wish);
		const [result] = report.results;
		const [run] = result?.runs ?? [];
		if (result === undefined || run === undefined) throw new Error("no run");
		const withRun = (change: Partial<BenchRun>) => ({
			results: [{ ...result, runs: [{ ...run, ...change }] }],
		});
		const none = { ...run.latency, count: 0 };
		expect(isUnanswered(report)).toBe(false);
		expect(isUnanswered(withRun({ failed: 9 }))).toBe(false);
		expect(isUnanswered(withRun({ latency: none }))).toBe(false);
		expect(isUnanswered(withRun({ latency: none, failed: 9 }))).toBe(true);
	});
});

describe("a sweep", () => {
	const sweep: BenchWish = {
		...wish,
		course: { mode: "sweep", clients: 64, steps: 10 },
	};

	it("finds the peak, then asks for more and more until it is no longer answered", async () => {
		const { context, crews } = ground();
		const { results } = await bench(context, sweep);
		const begun = crews[0]?.told.filter((word) => word.startsWith("begin"));
		expect(begun).toEqual([
			...["begin", "begin 110/s", "begin 220/s", "begin 330/s"],
			...["begin 440/s", "begin 550/s", "begin 660/s", "begin 770/s"],
			...["begin 880/s", "begin 990/s", "begin 1100/s"],
		]);
		expect(results[0]?.runs.at(-1)).toMatchObject({ perSecond: 1000 });
	});

	it("ends at the first rate that is not kept", async () => {
		const { context, crews, prepare } = ground();
		prepare.push((crew) => {
			let taken = 0;
			crew.onTake = () => {
				// The closed loop, and its rest, are over; the cluster got slower.
				if (++taken > 4) crew.peak = 400;
			};
		});
		const { results } = await bench(context, sweep);
		const begun = crews[0]?.told.filter((word) => word.startsWith("begin"));
		expect(begun?.at(-1)).toBe("begin 550/s");
		expect(results[0]?.runs.at(-1)?.remarks).toEqual([
			"400 a second were answered of 550 that were asked for",
		]);
	});
});

describe("before anybody is asked whether to load it", () => {
	it("each system is asked for a read, and nothing is written", async () => {
		const crew = new FakeCrew();
		const open: OpenCrew = async () => crew;
		await requireAnswers(open, wish);
		expect(crew.told).toEqual(["look", "close"]);
	});

	it("one that does not answer is named, with what to type next", async () => {
		const crew = new FakeCrew();
		crew.lookFails = new LoadError({ kind: "unreachable", message: "dead" });
		const open: OpenCrew = async () => crew;
		await expect(requireAnswers(open, wish)).rejects.toMatchObject({
			...{ kind: "unreachable", message: "raftd gives no answer: dead" },
			...{ state: "nothing was measured", next: "raftctl status" },
		});
		expect(crew.told).toEqual(["look", "close"]);
	});
});
