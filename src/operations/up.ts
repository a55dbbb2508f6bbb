import type { ClusterFacts } from "../cluster/facts.js";
import { judgeQuorum } from "../cluster/health.js";
import { OperatorError, reasonOf } from "../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
} from "./context.js";
import { refuseSecondFounding } from "./founding.js";
import { type PlanReport, planReport } from "./plan.js";
import { type Program, programsOf } from "./program.js";
import { awaitClusterStep } from "./steps/await-cluster.js";
import { planOf, runSteps, type Step } from "./steps/step.js";
import { runTogether } from "./steps/together.js";

interface UpReport {
	readonly operation: "up";
	readonly cluster: string;
	readonly started: readonly string[];
	readonly alreadyRunning: readonly string[];
	/** Nodes that are up but take no connections, by somebody's wish. */
	readonly drained: readonly string[];
	readonly leader: string | null;
	readonly durationMs: number;
}

/**
 * Starts what does not run and waits until every node is ready. All start at once: one by one the nodes could never form
 * a quorum. It takes no lock, for there may be no quorum to keep one, and it stops nothing.
 */
export async function up(context: OperationContext): Promise<UpReport> {
	const { clock, emit, inventory, signal } = context;
	const startedAt = clock.now();
	await refuseSecondFounding(context);
	const programs = await programsOf(context);
	const started: string[] = [];
	const starts = programs.map((program) =>
		startStep(context, program, {
			configure: program.configure,
			started: (name) => started.push(name),
		}),
	);
	const ready = awaitClusterStep(context, programs);
	emit({ type: "plan", operation: "up", steps: planOf([...starts, ready]) });
	requireStarted(context, starts, await runTogether(context, starts));
	await runSteps(context, [ready], signal);
	const facts = await lookAtCluster(context, signal);
	const names = programs.map(({ name }) => name);
	return {
		operation: "up",
		cluster: inventory.name,
		started: names.filter((name) => started.includes(name)),
		alreadyRunning: names.filter((name) => !started.includes(name)),
		drained: warnOfDrains(context, facts),
		leader: judgeQuorum(facts, healthLimits(context)).leader,
		durationMs: Math.round(clock.now() - startedAt),
	};
}

/** What `up` would start now. Touches nothing. */
export async function planUp(context: OperationContext): Promise<PlanReport> {
	await refuseSecondFounding(context);
	const programs = await programsOf(context);
	const starts = programs.map((program) =>
		startStep(context, program, {
			configure: async () => false,
			started: () => undefined,
		}),
	);
	const ready = awaitClusterStep(context, programs);
	return planReport(context, "up", [...starts, ready]);
}

/** A drained node is ready by every other measure, so only this tells why it takes no connections. */
function warnOfDrains(
	context: OperationContext,
	facts: ClusterFacts,
): readonly string[] {
	return facts.nodes.flatMap(({ id, status }) => {
		if (!status?.drain.draining) return [];
		const { leaseLeftMs } = status.drain;
		context.emit({
			type: "warning",
			node: id,
			message: `up but drained, for another ${Math.ceil(leaseLeftMs / 1000)} s; ${commandFor(context, `undrain ${id}`)} ends that`,
		});
		return [id];
	});
}

interface StartWish {
	/** Brings what the program reads up to date; true when that changed. */
	readonly configure: Program["configure"];
	readonly started: (name: string) => void;
}

function startStep(
	context: OperationContext,
	program: Program,
	{ configure, started }: StartWish,
): Step {
	const { name, node, service } = program;
	return {
		id: `${name}/start`,
		title: node === null ? `start the ${name}` : "start",
		node,
		cost: "",
		async isDone() {
			const changed = await configure();
			const state = await service.state();
			if (!state.running) return null;
			if (changed) warnOfOldConfiguration(context, program);
			return `runs as process ${state.pid}`;
		},
		async run(signal) {
			await service.start(signal);
			started(name);
			return null;
		},
	};
}

function warnOfOldConfiguration(
	context: OperationContext,
	{ name, node }: Program,
): void {
	const remedy =
		node === null
			? `${commandFor(context, "down")}, then up, applies the new one`
			: `${commandFor(context, `rolling-restart --node ${name}`)} applies the new one`;
	context.emit({
		type: "warning",
		node,
		message: `${name} runs with an older configuration; ${remedy}`,
	});
}

function requireStarted(
	context: OperationContext,
	steps: readonly Step[],
	failures: readonly unknown[],
): void {
	if (failures.length === 0) return;
	throw new OperatorError(
		failures.length < steps.length ? "partial" : "unreachable",
		`${failures.length} of ${steps.length} programs did not start: ${reasonOf(failures[0])}`,
		{
			problems: failures.map(reasonOf),
			state: "what did start runs on",
			next: commandFor(context, "up"),
			cause: failures[0],
		},
	);
}
