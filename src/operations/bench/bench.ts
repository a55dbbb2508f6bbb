import { OperatorError, reasonOf } from "../../errors.js";
import type { Clock } from "../clock.js";
import type { Emit, PlannedStep } from "../events.js";
import { type Crew, LoadError, type OpenCrew } from "./crew.js";
import type { Loop, RequestWish, TargetWish } from "./load.js";
import { measure, type Second } from "./measure.js";
import {
	type BenchReport,
	type BenchResult,
	type BenchRun,
	comparisonOf,
	runOf,
} from "./result.js";
import { isSaturated, sweepRates } from "./sweep.js";

export interface BenchWish {
	/** One after the other, each under the same load. */
	readonly targets: readonly TargetWish[];
	readonly requests: RequestWish;
	readonly course: Course;
	readonly threads: number;
	readonly warmUpMs: number;
	/** Of a run; of each step in a sweep. */
	readonly durationMs: number;
}

export type Course =
	| Loop
	/** A closed loop that finds the peak, then open loops of so many rates up to it. */
	| {
			readonly mode: "sweep";
			readonly clients: number;
			readonly steps: number;
	  };

interface BenchContext {
	readonly cluster: string | null;
	readonly openCrew: OpenCrew;
	readonly clock: Clock;
	readonly emit: Emit;
	/** What was measured until then is the result. */
	readonly signal: AbortSignal;
}

/** What will be done, to be shown before it is. */
export function planBench(wish: BenchWish): readonly PlannedStep[] {
	return wish.targets.flatMap((target) => {
		const { system, endpoints } = target;
		const { keys, reads } = wish.requests;
		const step = (name: string, title: string, cost = ""): PlannedStep => ({
			...{ id: `${system}/${name}`, title: `${system}: ${title}` },
			...{ node: null, cost },
		});
		return [
			step("connect", `connect to ${endpoints.join(", ")}`),
			...(reads > 0 ? [step("fill", `write ${keys} keys once`)] : []),
			step("load", loadTitle(wish), "others are served more slowly meanwhile"),
			step("remove", `remove the keys below ${wish.requests.prefix}`),
		];
	});
}

function loadTitle({ course, requests, ...wish }: BenchWish): string {
	const { bytes, reads } = requests;
	const kind =
		reads === 0
			? `writes of ${bytes} bytes`
			: reads === 1
				? "reads"
				: `${Math.round(100 * reads)} % reads, the rest writes of ${bytes} bytes`;
	const seconds = wish.durationMs / 1000;
	const warmUp = `after ${wish.warmUpMs / 1000} s to warm up`;
	if (course.mode === "closed")
		return `${kind} from ${course.clients} clients for ${seconds} s, ${warmUp}`;
	if (course.mode === "open")
		return `${kind} at ${course.perSecond} a second for ${seconds} s, ${warmUp}`;
	return `${kind} as fast as ${course.clients} clients can, then at up to ${course.steps} rates, ${seconds} s each, ${warmUp}`;
}

/** Before anybody is asked. Writes nothing; throws OperatorError where a system does not answer. */
export async function requireAnswers(
	openCrew: OpenCrew,
	wish: Pick<BenchWish, "targets" | "requests">,
): Promise<void> {
	const requests = { ...wish.requests, connections: 1 };
	for (const target of wish.targets) {
		const crew = await openCrew({ target, requests }, 1);
		try {
			await crew.look();
		} catch (error) {
			throw explained(error, target, "gives no answer");
		} finally {
			await crew.close();
		}
	}
}

/**
 * Loads each system in turn, and removes its keys again whatever happens. Throws OperatorError when one takes no write
 * at all; what fails under load is counted.
 */
export async function bench(
	context: BenchContext,
	wish: BenchWish,
): Promise<BenchReport> {
	const results: BenchResult[] = [];
	const left: string[] = [];
	let removed = 0;
	for (const target of wish.targets) {
		if (context.signal.aborted) break;
		const round = await benchOne(context, wish, target);
		results.push(round.result);
		if (round.removed === null) left.push(target.system);
		else removed += round.removed;
	}
	const { bytes, keys, reads, connections, prefix } = wish.requests;
	const { threads, durationMs, warmUpMs } = wish;
	return {
		cluster: context.cluster,
		load: {
			...{ mode: wish.course.mode, bytes, keys, reads },
			connections: Math.max(connections, threads),
			...{ threads, durationMs, warmUpMs },
		},
		...{ results, compared: comparisonOf(results) },
		keys: { prefix, removed, left },
		interrupted: context.signal.aborted,
	};
}

async function benchOne(
	context: BenchContext,
	wish: BenchWish,
	target: TargetWish,
): Promise<{ result: BenchResult; removed: number | null }> {
	const { system, endpoints } = target;
	const { threads, requests } = wish;
	const crew = await context.openCrew({ target, requests }, threads);
	const step = stepper(context, system);
	const endEarly = () => void crew.stop().catch(() => {});
	context.signal.addEventListener("abort", endEarly, { once: true });
	try {
		await step("connect", "connect", () => crew.check()).catch(
			(error: unknown) => {
				throw explained(error, target, "took no write");
			},
		);
		const runs = loadOf({ context, wish, crew, step });
		const outcome = await runs.catch((error: unknown) => ({ error }));
		const removed = await step("remove", "remove the keys", () =>
			crew.remove(),
		).catch((error: unknown) => tellLeft(context, wish, system, error));
		if ("error" in outcome)
			throw explained(outcome.error, target, "took no write");
		return { result: { system, endpoints, runs: outcome }, removed };
	} finally {
		context.signal.removeEventListener("abort", endEarly);
		await crew.close();
	}
}

interface Stage {
	readonly context: BenchContext;
	readonly wish: BenchWish;
	readonly crew: Crew;
	readonly step: RunStep;
}

async function loadOf(stage: Stage): Promise<BenchRun[]> {
	const { wish, crew, step, context } = stage;
	if (wish.requests.reads > 0)
		await step("fill", "write the keys", () => crew.fill());
	if (context.signal.aborted) return [];
	return await step("load", "measure", (note) => runsOf(stage, note));
}

/** One run, or those of a sweep until a rate is no longer kept. */
async function runsOf(stage: Stage, note: Note): Promise<BenchRun[]> {
	const { course } = stage.wish;
	if (course.mode !== "sweep") return [await runOnce(stage, course, note)];
	const { clients, steps } = course;
	const peak = await runOnce(stage, { mode: "closed", clients }, note);
	const runs = [peak];
	for (const perSecond of sweepRates(peak.perSecond, steps)) {
		const last = runs.at(-1) as BenchRun;
		if (stage.context.signal.aborted || isSaturated(last)) break;
		runs.push(await runOnce(stage, { mode: "open", perSecond }, note));
	}
	return runs;
}

async function runOnce(
	{ context, wish, crew }: Stage,
	loop: Loop,
	note: Note,
): Promise<BenchRun> {
	const { warmUpMs, durationMs } = wish;
	const asked = loop.mode === "open" ? ` of ${loop.perSecond}` : "";
	const measured = await measure(crew, loop, {
		...{ warmUpMs, durationMs, clock: context.clock, signal: context.signal },
		onSecond: (second) => note(secondText(second, asked)),
	});
	return runOf(measured, wish.requests.bytes);
}

function secondText(second: Second, asked: string): string {
	const { perSecond, p50Ms, p99Ms, errors } = second;
	const failed = errors > 0 ? `, ${errors} failed` : "";
	return `${Math.round(perSecond)}/s${asked}, p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms${failed}`;
}

/** Null: the keys are still there, and a person knows of it. */
function tellLeft(
	{ emit }: BenchContext,
	{ requests }: BenchWish,
	system: string,
	error: unknown,
): null {
	const message = `the keys below ${requests.prefix} are still in ${system}: ${reasonOf(error)}`;
	emit({ type: "warning", node: null, message });
	return null;
}

function explained(
	error: unknown,
	{ system, endpoints }: TargetWish,
	what: string,
): unknown {
	if (!(error instanceof LoadError)) return error;
	const isAway = ["unreachable", "timeout", "connection-lost"].includes(
		error.kind,
	);
	return new OperatorError(
		isAway ? "unreachable" : "unexpected",
		`${system} ${what}: ${error.message}`,
		{
			problems: [`tried ${endpoints.join(", ")}`],
			state: "nothing was measured",
			...(system === "raftd" ? { next: "raftctl status" } : {}),
			cause: error,
		},
	);
}

type Note = (note: string) => void;
type RunStep = <Result>(
	step: string,
	title: string,
	run: (note: Note) => Promise<Result>,
) => Promise<Result>;

/** Tells of each step as it begins and ends. */
function stepper({ emit, clock }: BenchContext, system: string): RunStep {
	return async (name, title, run) => {
		const step = `${system}/${name}`;
		const startedMs = clock.now();
		const about = { step, node: null };
		let last: string | null = null;
		emit({ type: "step-started", ...about, title: `${system}: ${title}` });
		try {
			const result = await run((note) => {
				last = note;
				emit({ type: "step-progress", ...about, note });
			});
			const durationMs = Math.round(clock.now() - startedMs);
			emit({ type: "step-finished", ...about, durationMs, note: last });
			return result;
		} catch (error) {
			emit({ type: "step-failed", ...about, reason: reasonOf(error) });
			throw error;
		}
	};
}
