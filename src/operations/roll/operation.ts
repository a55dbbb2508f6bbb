import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { lookAtCluster } from "../context.js";
import { LeaderlessMeter } from "../cost/leaderless-meter.js";
import { writeNodeConfig } from "../node-service.js";
import type { Operation, Run } from "../operation.js";
import { holdPreference } from "../steps/preference.js";
import type { Step } from "../steps/step.js";
import { tolerant } from "../steps/tolerant.js";
import { rollFailure } from "./failure.js";
import { mendingSteps, nodeSteps } from "./node-steps.js";
import { effectiveSettings, type RollOptions } from "./options.js";
import { rollOrder } from "./order.js";
import { putBackSteps } from "./put-back.js";
import { relinkSteps } from "./relink.js";
import type { RollOutcome } from "./report.js";
import { type Passage, passageOf, type Roll, type RollGoal } from "./roll.js";
import { chooseNodes, requireWholeCluster } from "./whole-cluster.js";

export type RollWish = Pick<RollOptions, "nodes" | "skip" | "settings">;

/** Of each node to restart, the process before that; null when it did not answer. Another one means: restarted. */
interface RollMemo {
	readonly processes: Readonly<Record<string, string | null>>;
}

/** A plain restart: each node is to be another process than the one that was there when the roll began. */
const restartGoal: RollGoal = {
	name: "rolling-restart",
	text: "rolling-restart",
	prepare: async () => ({}),
	before: async () => [],
	isToCome: (status, { former }) => (status?.processId ?? null) === former,
	configure: writeNodeConfig,
	isConfigured: async () => true,
	former: null,
	soakMs: 0,
};

/**
 * Restarts nodes one after the other. What is left to do follows from the processes that answer: one that was there
 * when the roll began is still to come, another one is done or to be brought back into service.
 */
export function rollOperation(
	wish: RollWish,
	goal: RollGoal = restartGoal,
): Operation<RollOutcome> {
	let begun: Roll | null = null;
	const open = (run: Run): Roll => {
		begun ??= beginRoll(run, wish, goal);
		return begun;
	};
	return {
		name: goal.name,
		text: textOf(wish, goal),
		arguments: wish,
		skip: wish.skip,
		async prepare(context) {
			const chosen = chooseNodes(context, wish);
			const facts = await requireWholeCluster(context, wish, chosen);
			return {
				...(await goal.prepare(context, facts, chosen)),
				processes: processesOf(facts, chosen),
			} satisfies RollMemo;
		},
		steps: (run) => stepsLeft(run, open(run)),
		abortSteps: async (run) => {
			const chosen = chosenOf(run);
			const facts = await lookAtCluster(run.context, run.lock.signal);
			const roll = open(run);
			const { context, unconfirmed } = roll;
			const steps = [
				// First: what is started below starts with it.
				...putBackSteps(roll, { chosen, facts }),
				...(await mendAll(roll, run, { chosen, facts })),
				// Last: what was silent may say by then what it runs.
				...relinkSteps(
					roll,
					chosen.filter(({ id }) => !isSeenToCome(roll, facts, id)),
				),
			];
			return steps.map((step) => tolerant(context, unconfirmed, step));
		},
		async soFar(run) {
			const { restarted } = open(run);
			const { processes } = run.memo as RollMemo;
			const chosen = Object.keys(processes);
			const rest = chosen.filter((id) => !restarted.includes(id));
			return [
				`restarted and back in service: ${listed(restarted)}`,
				`not yet: ${listed(rest)}`,
			];
		},
		async report(run) {
			const { context, costs, meter, skip, transfers } = open(run);
			meter.observe(await lookAtCluster(context, run.lock.signal));
			return {
				...{ dryRun: false, nodes: costs, transfers, skipped: skip },
				...{ unconfirmed: open(run).unconfirmed },
				leaderless: meter.leaderless(),
			};
		},
		failure: (run, cause) => rollFailure(open(run), cause),
		end: async () => begun?.preference.end(),
	};
}

async function stepsLeft(run: Run, roll: Roll): Promise<readonly Step[]> {
	const { context, lock } = run;
	const chosen = chosenOf(run);
	const facts = await lookAtCluster(context, lock.signal);
	roll.meter.observe(facts);
	const mending = run.isResumed
		? await mendAll(roll, run, { chosen, facts })
		: [];
	if (run.isResumed && mending.length === 0 && roll.current === null)
		await requireWholeCluster(context, roll, chosen);
	const left = chosen.filter(({ id }) => isToCome(roll, run, facts, id));
	// Afresh each time: whoever leads by now goes last.
	const order = rollOrder(
		facts,
		left.map(({ id }) => id),
	);
	const steps: Step[] = [
		...(left.length === 0 ? [] : await roll.goal.before(run, left)),
		...mending,
		...relinkSteps(
			roll,
			chosen.filter((node) => !left.includes(node)),
		),
	];
	for (const [place, id] of order.entries()) {
		const node = left.find((one) => one.id === id);
		if (node === undefined) continue;
		const passage = passageOf(id, context.clock.now());
		if (place === 0) beginPassage(roll, passage, order.slice(1));
		steps.push(
			...planAnew(
				await nodeSteps(roll, node, facts, { passage, isFirst: place === 0 }),
			),
		);
	}
	return steps;
}

/**
 * Those that it was begun for, whatever the cluster file has by now: another operator's may have more, or fewer. Throws
 * OperatorError "usage" for one that this file does not have.
 */
function chosenOf({ context, memo }: Run): readonly NodeEntry[] {
	const nodes = Object.keys((memo as RollMemo).processes);
	return chooseNodes(context, { nodes });
}

/** The node in hand is the one that failure and costs speak of. */
function beginPassage(
	roll: Roll,
	passage: Passage,
	remaining: readonly string[],
): void {
	roll.current = passage;
	roll.remaining = remaining;
}

function isToCome(
	roll: Roll,
	{ memo }: Run,
	facts: ClusterFacts,
	id: string,
): boolean {
	if (roll.restarted.includes(id)) return false;
	const former = (memo as RollMemo).processes[id] ?? null;
	return roll.goal.isToCome(statusOf(facts, id), { id, former });
}

/** By its own word; `putBackSteps` sees to those. */
function isSeenToCome(
	{ goal }: Roll,
	facts: ClusterFacts,
	id: string,
): boolean {
	const status = statusOf(facts, id);
	return status !== null && goal.isToCome(status, { id, former: null });
}

/** What an earlier attempt left half done: a node that is down, drained, or not confirmed to be ready again. */
async function mendAll(
	roll: Roll,
	run: Run,
	world: {
		readonly chosen: readonly NodeEntry[];
		readonly facts: ClusterFacts;
	},
): Promise<readonly Step[]> {
	const { processes } = run.memo as RollMemo;
	const steps: Step[] = [];
	for (const node of world.chosen) {
		if (roll.restarted.includes(node.id)) continue;
		const status = statusOf(world.facts, node.id);
		const former = processes[node.id] ?? null;
		const wasDown = former === null && status === null;
		const isNew = status !== null && status.processId !== former;
		if (isNew && status.ready && !status.drain.draining) {
			// Another process is not always the roll's doing: one that died and was started again has what is new to come.
			const { id } = node;
			if (!roll.goal.isToCome(status, { id, former })) roll.restarted.push(id);
		} else if (!wasDown && (status === null || isNew || status.drain.draining))
			steps.push(...(await mendingSteps(roll, node, { former, status })));
	}
	return planAnew(steps);
}

function planAnew(steps: readonly Step[]): readonly Step[] {
	return steps.map((step, place) =>
		place === steps.length - 1 ? { ...step, replan: true } : step,
	);
}

function processesOf(
	facts: ClusterFacts,
	chosen: readonly NodeEntry[],
): RollMemo["processes"] {
	return Object.fromEntries(
		chosen.map(({ id }) => [id, statusOf(facts, id)?.processId ?? null]),
	);
}

function listed(ids: readonly string[]): string {
	return ids.length === 0 ? "none" : ids.join(", ");
}

/** As others see it who look at the lock, the checks that are left out included. */
function textOf({ nodes, skip }: RollWish, { text }: RollGoal): string {
	return [
		text,
		...nodes.map((node) => `--node ${node}`),
		...skip.map((check) => `--skip=${check}`),
	].join(" ");
}

function beginRoll(
	{ context, lock, memo, isResumed }: Run,
	wish: RollWish,
	goal: RollGoal,
): Roll {
	return {
		...{ context, lock, isResumed, wished: wish.nodes, skip: wish.skip },
		...{ goal, memo },
		settings: effectiveSettings(context.inventory.roll, wish),
		preference: holdPreference(context),
		meter: new LeaderlessMeter(),
		...{ restarted: [], remaining: [], current: null },
		...{ costs: [], transfers: [], unconfirmed: [] },
	};
}
