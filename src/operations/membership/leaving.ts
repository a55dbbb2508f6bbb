import { statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import type { Service } from "../../hosts/host.js";
import { callOptions, lookAtCluster, refOf } from "../context.js";
import { withoutHostStep } from "../steps/boot.js";
import { clearAlarmsStep } from "../steps/clear-alarms.js";
import { type DrainHold, holdDrain } from "../steps/drain-hold.js";
import {
	announceDrainStep,
	closeConnectionsStep,
	type DrainSteps,
} from "../steps/drain-node.js";
import { transferStep } from "../steps/leadership.js";
import { safetySnapshotStep } from "../steps/safety-snapshot.js";
import type { Step } from "../steps/step.js";
import { stopNodeStep } from "../steps/stop-node.js";
import { isSilence } from "../wait.js";
import type { IsMember } from "./members.js";
import { unless } from "./unless.js";
import { leaderNow, serviceOf, type Work } from "./work.js";

/** Before a member goes for good: its leadership, its connections, and a copy of the state elsewhere. */
export function leaving(
	work: Work,
	node: NodeEntry,
	{ isStill }: { readonly isStill: IsMember },
): readonly Step[] {
	const gone = async () => {
		const leader = await leaderNow(work);
		return leader !== null && !isStill(leader.members)
			? "it is no member any more"
			: null;
	};
	return [
		...snapshotFirst(work, [node.id], gone),
		unless(handingOver(work, [node.id], []), gone),
		...draining(work, node).map((step) => unless(step, gone)),
	];
}

export function snapshotFirst(
	{ context, lock, skip, tally }: Work,
	without: readonly string[],
	isPast: () => Promise<string | null>,
): readonly Step[] {
	if (skip.includes("snapshot")) return [];
	const taken = (snapshot: NonNullable<typeof tally.snapshot>) => {
		tally.snapshot = snapshot;
	};
	return [safetySnapshotStep(context, lock, { without, isPast, taken })];
}

/** If one of `nodes` leads, it hands over: to one of `heirs`, or to whoever has most of the log. */
export function handingOver(
	work: Work,
	nodes: readonly string[],
	heirs: readonly string[],
): Step {
	const { context, lock, tally, view } = work;
	const from = nodes.includes(view.leader.nodeId)
		? view.leader.nodeId
		: (nodes[0] ?? "");
	const step = (leader: string) =>
		transferStep(context, lock, {
			...{ from: leader, preferred: () => heirs, only: heirs.length > 0 },
			transferred: (transfer) => tally.transfers.push(transfer),
		});
	return {
		...step(from),
		// Whoever leads now may go on leading: nothing is left half done.
		undo: settled,
		isDone: async () => {
			const leader = await leaderNow(work);
			return leader !== null && !nodes.includes(leader.nodeId)
				? `${leader.nodeId} leads`
				: null;
		},
		// Whoever of them leads by then.
		run: async (signal, progress) => {
			const leader = await leaderNow(work);
			const now = leader !== null && nodes.includes(leader.nodeId);
			return step(now ? leader.nodeId : from).run(signal, progress);
		},
	};
}

const settled = async (): Promise<void> => undefined;

export function draining(work: Work, node: NodeEntry): readonly Step[] {
	const { context, lock, skip, tally, view } = work;
	const { closeOverMs, drainTimeoutMs } = context.inventory.roll;
	const hold = holdDrain(context, {
		node,
		fencingToken: lock.fencingToken,
		skipBalancer: skip.includes("balancer"),
	});
	tally.holds.set(node.id, hold);
	const connections = statusOf(view.facts, node.id)?.connections.total ?? 0;
	const wish: DrainSteps = {
		...{ node, hold, closeOverMs, timeoutMs: drainTimeoutMs },
		cost: `${connections} ${connections === 1 ? "connection moves" : "connections move"}, over ${closeOverMs} ms`,
		skipBalancer: skip.includes("balancer"),
		skipDrain: skip.includes("drain"),
	};
	const silent = async () => {
		const facts = await lookAtCluster(context, lock.signal);
		return statusOf(facts, node.id) === null ? "it does not answer" : null;
	};
	return [
		unless(announceDrainStep(context, wish), silent),
		// What has moved has moved; its drain ends with the announcement's.
		{ ...unless(closeConnectionsStep(context, wish), silent), undo: settled },
	];
}

/** Ends what is left of a drain when the node stays after all. */
export function undraining(work: Work, node: NodeEntry): Step {
	const { context, lock } = work;
	return {
		id: `${node.id}/undrain`,
		title: "let it take connections again",
		node: node.id,
		cost: "",
		isDone: async () => {
			const facts = await lookAtCluster(context, lock.signal);
			const status = statusOf(facts, node.id);
			if (status === null) return "it does not answer";
			return status.drain.draining ? null : "it is not drained";
		},
		run: async (signal) => {
			const { engine } = context;
			const options = callOptions(signal);
			await engine.undrain(refOf(node), lock.fencingToken, options);
			return null;
		},
	};
}

/**
 * Stops what is no member any more; what was said against its data is over with that. Neither it nor its machine may answer
 * any more: then there is nothing to stop, and a note.
 */
export async function stopping(
	work: Work,
	node: NodeEntry,
): Promise<readonly Step[]> {
	const { context, lock, tally } = work;
	const service = await serviceOf(work, node);
	const hold = tally.holds.get(node.id) ?? null;
	return [
		...(service === null ? [] : endingAt(work, node, { service, hold })),
		clearAlarmsStep(context, lock, node),
	];
}

function endingAt(
	work: Work,
	node: NodeEntry,
	{ service, hold }: { service: Service; hold: DrainHold | null },
): readonly Step[] {
	const { context, lock, tally } = work;
	const { boot } = service;
	const { notes } = tally;
	return [
		stopNodeStep(context, lock, { node, service, hold }),
		...(boot ? [withoutHostStep(context, lock, { node, boot, notes })] : []),
	].map((step) => unless(step, () => lostWith(work, node, service)));
}

/** Why nobody can stop it, of a node that is silent like its machine; null while either answers. */
async function lostWith(
	{ context, lock, tally }: Work,
	{ id, host }: NodeEntry,
	service: Service,
): Promise<string | null> {
	try {
		await service.state();
		return null;
	} catch (error) {
		if (!isSilence(error)) throw error;
	}
	const facts = await lookAtCluster(context, lock.signal);
	if (statusOf(facts, id) !== null) return null;
	const note = `${host} does not answer: if it comes back, ${id} is to be stopped there, and must not start with it`;
	if (!tally.notes.includes(note)) tally.notes.push(note);
	return `${host} does not answer`;
}
