import type { NodeStatus } from "../../cluster/engine.js";
import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { confirmedLeader, safeToStop } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import type { Service } from "../../hosts/host.js";
import { healthLimits, lookAtCluster } from "../context.js";
import { nodeService } from "../node-service.js";
import { admitNodeStep } from "../steps/admit-node.js";
import { awaitReadyStep } from "../steps/await-ready.js";
import { type DrainHold, holdDrain } from "../steps/drain-hold.js";
import {
	announceDrainStep,
	closeConnectionsStep,
	type DrainSteps,
} from "../steps/drain-node.js";
import { transferStep } from "../steps/leadership.js";
import { proveQuorumStep } from "../steps/quorum-proof.js";
import { restartStep } from "../steps/restart-node.js";
import { startStep } from "../steps/start-again.js";
import type { Step } from "../steps/step.js";
import type { Passage, Roll } from "./roll.js";
import { requireStoppable } from "./stoppable.js";
import { orTakenBack } from "./take-back.js";

/** All that happens to one node, in order. The same list is what --dry-run shows and what is then run. */
export async function nodeSteps(
	roll: Roll,
	node: NodeEntry,
	facts: ClusterFacts,
	{
		passage,
		isFirst,
	}: { readonly passage: Passage; readonly isFirst: boolean },
): Promise<readonly Step[]> {
	const { context, lock } = roll;
	const tools = {
		service: await nodeService(context, node),
		hold: holdDrain(context, {
			node,
			fencingToken: lock.fencingToken,
			skipBalancer: roll.skip.includes("balancer"),
		}),
	};
	const answers = statusOf(facts, node.id) !== null;
	const leads = confirmedLeader(facts)?.nodeId === node.id;
	return [
		proof(roll, { node, facts, passage, name: "prove" }),
		configureStep(roll, node),
		...(leads ? [handover(roll, node)] : []),
		// A node that does not answer has nobody to move and no word to give.
		...(answers ? drain(roll, { node, facts, hold: tools.hold }) : []),
		proof(roll, { node, facts, passage, name: "prove-again" }),
		...restart(roll, {
			...{ ...tools, node, facts, passage },
			soaks: roll.goal.soakMs > 0 && roll.restarted.length === 0 && isFirst,
		}),
	];
}

interface ProofWish {
	readonly node: NodeEntry;
	readonly facts: ClusterFacts;
	readonly passage: Passage;
	readonly name: "prove" | "prove-again";
}

function proof(roll: Roll, { node, facts, passage, name }: ProofWish): Step {
	const { context, meter, skip } = roll;
	const { reason } = safeToStop(facts, node.id, healthLimits(context));
	return proveQuorumStep(context, {
		node: node.id,
		name,
		cost: name === "prove" ? reason : "",
		skipped: skip.includes("quorum"),
		proven: (held) => {
			meter.observe(held.facts);
			// The second proof may meet another process than the first: one that died and was started by somebody else.
			passage.processId = statusOf(held.facts, node.id)?.processId ?? null;
			if (name !== "prove") return;
			passage.beganAtMs = context.clock.now();
			passage.connections =
				statusOf(held.facts, node.id)?.connections.total ?? 0;
		},
	});
}

/** Before the second proof, which is right before the stop: on a slow host this takes its time. */
function configureStep({ context, goal, memo }: Roll, node: NodeEntry): Step {
	const { former } = goal;
	return {
		...{ id: `${node.id}/configure`, node: node.id, cost: "" },
		title: "bring up to date what it starts with",
		async run() {
			await goal.configure(context, node);
			return null;
		},
		// A node that is not started with what is new must not come to it by itself. The file of `up` does no harm.
		undo: async () => {
			await former?.giveBack(context, node, memo);
		},
	};
}

function handover(roll: Roll, node: NodeEntry): Step {
	return transferStep(roll.context, roll.lock, {
		from: node.id,
		preferred: () => roll.restarted,
		only: false,
		transferred: (transfer) => roll.transfers.push(transfer),
	});
}

interface DrainWish {
	readonly node: NodeEntry;
	readonly facts: ClusterFacts;
	readonly hold: DrainHold;
}

function drain(roll: Roll, { node, facts, hold }: DrainWish): Step[] {
	const { context, settings, skip } = roll;
	const connections = statusOf(facts, node.id)?.connections.total ?? 0;
	const wish: DrainSteps = {
		node,
		hold,
		closeOverMs: settings.closeOverMs,
		timeoutMs: settings.drainTimeoutMs,
		cost: `${connections} connections move, over ${settings.closeOverMs} ms`,
		skipBalancer: skip.includes("balancer"),
		skipDrain: skip.includes("drain"),
	};
	return [
		announceDrainStep(context, wish),
		closeConnectionsStep(context, wish),
	];
}

interface RestartWish extends DrainWish {
	readonly service: Service;
	readonly passage: Passage;
	/** Whether it is the one that shows first whether what is new holds. */
	readonly soaks: boolean;
}

function restart(roll: Roll, wish: RestartWish): Step[] {
	const { context, lock, settings, skip } = roll;
	const { node, facts, service, hold, passage } = wish;
	const { margin } = safeToStop(facts, node.id, healthLimits(context));
	return [
		restartStep(context, {
			node,
			service,
			hold,
			requireStoppable: () => requireStoppable(roll, node),
			stopTimeoutMs: settings.stopTimeoutMs,
			cost:
				margin > 0
					? `${margin} more may fail while it is down`
					: "no other may fail while it is down",
			stopping: (atMs) => {
				passage.stoppedAtMs = atMs;
			},
			started: () => {
				passage.started = true;
			},
		}),
		orTakenBack(
			roll,
			wish,
			awaitReadyStep(context, {
				node,
				service,
				formerProcessId: () => passage.processId,
				startTimeoutMs: settings.startTimeoutMs,
				settleMs: settings.settleMs,
				ready: (atMs) => {
					passage.readyAtMs ??= atMs;
				},
			}),
		),
		admitNodeStep(context, {
			node,
			fencingToken: lock.fencingToken,
			skipBalancer: skip.includes("balancer"),
			admitted: () => admitted(roll, passage),
		}),
		...(wish.soaks ? [soakStep(roll, wish)] : []),
	];
}

/** The first node with something new shows whether it holds before any other is touched. */
function soakStep(roll: Roll, wish: RestartWish): Step {
	const { context, goal, settings } = roll;
	const { node, service } = wish;
	const ready = awaitReadyStep(context, {
		...{ node, service, formerProcessId: () => null },
		...{ startTimeoutMs: settings.startTimeoutMs, settleMs: goal.soakMs },
		ready: () => {},
	});
	return orTakenBack(roll, wish, {
		...ready,
		...{ id: `${node.id}/soak`, title: "see that it holds" },
		cost: `${goal.soakMs / 1000} s`,
	});
}

async function admitted(roll: Roll, passage: Passage): Promise<void> {
	roll.restarted.push(passage.node);
	roll.costs.push(costOf(passage));
	await roll.preference.set(roll.restarted);
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

/** What ends the half of a restart that a killed operator left: the node runs, is ready, and in service again. */
export async function mendingSteps(
	{ context, goal, lock, settings, skip, restarted }: Roll,
	node: NodeEntry,
	world: { readonly former: string | null; readonly status: NodeStatus | null },
): Promise<readonly Step[]> {
	const service = await nodeService(context, node);
	const isFormer = world.status?.processId === world.former;
	let seen = isFormer ? null : world.former;
	return [
		...(world.status === null ? [startStep(lock, { node, service })] : []),
		awaitReadyStep(context, {
			...{ node, service, settleMs: settings.settleMs },
			formerProcessId: () => seen,
			startTimeoutMs: settings.startTimeoutMs,
			ready: () => {
				seen = null;
			},
		}),
		admitNodeStep(context, {
			...{ node, fencingToken: lock.fencingToken },
			skipBalancer: skip.includes("balancer"),
			admitted: async () => {
				if (isFormer) return;
				const facts = await lookAtCluster(context, lock.signal);
				const { id } = node;
				const { former } = world;
				if (!goal.isToCome(statusOf(facts, id), { id, former }))
					restarted.push(id);
			},
		}),
	];
}
