import type { ClusterFacts } from "../cluster/facts.js";
import type { NodeEntry } from "../config/inventory.js";
import { lookAtCluster, type OperationContext } from "./context.js";
import type { PlannedStep } from "./events.js";
import { type OperationLock, withLock } from "./lock.js";
import { writeNodeConfig } from "./node-service.js";
import { unlocked } from "./plan.js";
import { CostMeter } from "./roll/cost-meter.js";
import { rollFailure } from "./roll/failure.js";
import { nodeSteps } from "./roll/node-steps.js";
import { effectiveSettings, type RollOptions } from "./roll/options.js";
import { rollOrder } from "./roll/order.js";
import type { RollReport } from "./roll/report.js";
import { type Passage, passageOf, type Roll } from "./roll/roll.js";
import { chooseNodes, requireWholeCluster } from "./roll/whole-cluster.js";
import { holdPreference } from "./steps/preference.js";
import { planOf, runSteps, type Step } from "./steps/step.js";

/**
 * Restarts nodes one after the other, so that neither the quorum nor a request is lost. Refused before anything is
 * touched when the cluster is not whole. On a failure no other node is touched, what is half done is undone, and the
 * error says the state and the one next command.
 */
export async function rollingRestart(
	context: OperationContext,
	options: RollOptions,
): Promise<RollReport> {
	const startedAt = context.clock.now();
	const chosen = chooseNodes(context, options);
	const report = await planOnly(context, options, chosen);
	if (options.dryRun) return report;
	showPlan(context, report.plan);
	await options.confirm?.();
	const { lockWaitMs } = options;
	const wish = { operation: operationText(options), lockWaitMs };
	return withLock(context, wish, async (lock) => {
		const facts = await requireWholeCluster(context, options, chosen);
		const roll = beginRoll(showingSteps(context, lock), options, lock);
		const plan = await planRoll(roll, chosen, facts);
		if (!sameSteps(plan, report.plan)) showPlan(context, planOf(plan));
		warnOfSkips(roll);
		try {
			await rollAll(roll, chosen);
		} catch (error) {
			throw rollFailure(roll, error);
		} finally {
			await roll.preference.end();
		}
		return reportOf(roll, plan, context.clock.now() - startedAt);
	});
}

async function rollAll(roll: Roll, chosen: readonly NodeEntry[]) {
	const { context, lock, meter } = roll;
	roll.remaining = chosen.map(({ id }) => id);
	while (roll.remaining.length > 0) {
		// Afresh each time: whoever leads by now goes last.
		const facts = await lookAtCluster(context, lock.signal);
		meter.observe(facts);
		const [next, ...rest] = rollOrder(facts, roll.remaining);
		const node = chosen.find(({ id }) => id === next);
		if (node === undefined) return;
		roll.remaining = rest;
		await rollOne(roll, node, facts);
	}
	meter.observe(await lookAtCluster(context, lock.signal));
}

async function rollOne(roll: Roll, node: NodeEntry, facts: ClusterFacts) {
	const { context, lock } = roll;
	const passage = passageOf(node.id, context.clock.now());
	roll.current = passage;
	await writeNodeConfig(context, node);
	const steps = await nodeSteps(roll, node, facts, passage);
	await runSteps(context, steps, lock.signal);
	roll.costs.push(costOf(passage));
	roll.current = null;
}

function costOf({
	node,
	connections,
	beganAtMs,
	stoppedAtMs,
	readyAtMs,
}: Passage) {
	const stopped = stoppedAtMs ?? beganAtMs;
	return {
		node,
		connectionsMoved: connections,
		drainMs: Math.round(stopped - beganAtMs),
		downtimeMs: Math.round((readyAtMs ?? stopped) - stopped),
	};
}

async function planOnly(
	context: OperationContext,
	options: RollOptions,
	chosen: readonly NodeEntry[],
): Promise<RollReport> {
	const roll = beginRoll(context, options, unlocked(context));
	const facts = await requireWholeCluster(context, options, chosen);
	const plan = await planRoll(roll, chosen, facts);
	return { ...reportOf(roll, plan, 0), dryRun: true };
}

/** The steps of every node as they would be run now. */
async function planRoll(
	roll: Roll,
	chosen: readonly NodeEntry[],
	facts: ClusterFacts,
): Promise<readonly Step[]> {
	const plan: Step[] = [];
	for (const id of rollOrder(
		facts,
		chosen.map((node) => node.id),
	)) {
		const node = chosen.find((one) => one.id === id);
		if (node !== undefined)
			plan.push(...(await nodeSteps(roll, node, facts, passageOf(id, 0))));
	}
	return plan;
}

function showPlan({ emit }: OperationContext, steps: readonly PlannedStep[]) {
	emit({ type: "plan", operation: "rolling-restart", steps });
}

function sameSteps(
	one: readonly PlannedStep[],
	other: readonly PlannedStep[],
): boolean {
	const idsOf = (steps: readonly PlannedStep[]) =>
		steps.map(({ id }) => id).join();
	return idsOf(one) === idsOf(other);
}

/** As others see it who look at the lock, the checks that are left out included. */
function operationText({ skip }: RollOptions): string {
	return ["rolling-restart", ...skip.map((check) => `--skip=${check}`)].join(
		" ",
	);
}

function beginRoll(
	context: OperationContext,
	options: RollOptions,
	lock: OperationLock,
): Roll {
	return {
		context,
		lock,
		settings: effectiveSettings(context.inventory.roll, options),
		skip: options.skip,
		preference: holdPreference(context),
		meter: new CostMeter(),
		restarted: [],
		remaining: [],
		current: null,
		costs: [],
		transfers: [],
	};
}

function reportOf(
	roll: Roll,
	plan: readonly Step[],
	durationMs: number,
): RollReport {
	return {
		operation: "rolling-restart",
		cluster: roll.context.inventory.name,
		dryRun: false,
		plan: planOf(plan),
		nodes: roll.costs,
		transfers: roll.transfers,
		leaderless: roll.meter.leaderless(),
		skipped: roll.skip,
		durationMs: Math.round(durationMs),
	};
}

/** Whoever looks at the lock sees which step is under way. */
function showingSteps(
	context: OperationContext,
	lock: OperationLock,
): OperationContext {
	return {
		...context,
		emit: (event) => {
			if (event.type === "step-started") lock.setStep(event.step);
			context.emit(event);
		},
	};
}

function warnOfSkips({ context, skip }: Roll): void {
	for (const check of skip)
		context.emit({
			type: "warning",
			node: null,
			message: `the check "${check}" is left out, as asked for by name`,
		});
	if (context.balancer === null)
		context.emit({
			type: "warning",
			node: null,
			message:
				"no balancer is configured: clients find the next node by themselves",
		});
}
