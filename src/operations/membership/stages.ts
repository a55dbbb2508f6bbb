import type { MemberStatus, MembershipChange } from "../../cluster/engine.js";
import { statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	callOptions,
	commandFor,
	healthLimits,
	lookAtCluster,
	refOf,
} from "../context.js";
import { agreeOnMembersStep } from "../steps/agree-on-members.js";
import { awaitCaughtUpStep } from "../steps/await-caught-up.js";
import { changeMembershipStep } from "../steps/change-membership.js";
import { clearAlarmsStep } from "../steps/clear-alarms.js";
import { holdDrain } from "../steps/drain-hold.js";
import {
	announceDrainStep,
	closeConnectionsStep,
	type DrainSteps,
} from "../steps/drain-node.js";
import { joinNodeStep, requireCandidate } from "../steps/join-node.js";
import { transferStep } from "../steps/leadership.js";
import { safetySnapshotStep } from "../steps/safety-snapshot.js";
import { startAgainStep } from "../steps/start-again.js";
import type { Step } from "../steps/step.js";
import { stopNodeStep } from "../steps/stop-node.js";
import {
	areReached,
	changesTowards,
	type Goal,
	memberOf,
	roleOf,
} from "./members.js";
import { judgeChange, toleranceText } from "./verdict.js";
import { countChanges, leaderNow, serviceOf, type Work } from "./work.js";

type Goals = Readonly<Record<string, Goal>>;
type IsMember = (members: readonly MemberStatus[]) => boolean;

export function isMember(id: string): IsMember {
	return (members) => memberOf(members, id) !== null;
}

/** The step, unless there is a reason why it has nothing to do. */
export function unless(step: Step, reason: () => Promise<string | null>): Step {
	return {
		...step,
		isDone: async () => (await reason()) ?? (await step.isDone?.()) ?? null,
	};
}

/** Starts a node, adds it as a learner, and waits until it has caught up. */
export async function joining(
	work: Work,
	node: NodeEntry,
	wish: { readonly isJoined: IsMember; readonly timeoutMs: number },
): Promise<readonly Step[]> {
	const { context, lock, view } = work;
	const service = await serviceOf(work, node);
	const { isJoined, timeoutMs } = wish;
	const start = joinNodeStep(context, lock, { node, service, isJoined });
	return [
		isJoined(view.leader.members)
			? { ...start, title: "start it if it is down" }
			: start,
		addStep(work, node, isJoined),
		...catchingUp(work, node, { ...wish, service, timeoutMs }),
	];
}

/** What this operation added and stays when it is given up must not stay down. */
export async function startingAgain(
	work: Work,
	node: NodeEntry,
): Promise<readonly Step[]> {
	const service = await serviceOf(work, node);
	if (service === null) return [];
	return [startAgainStep(work.context, work.lock, { node, service })];
}

function addStep(work: Work, node: NodeEntry, isJoined: IsMember): Step {
	const { context, lock, skip } = work;
	return changeMembershipStep(context, lock, {
		...{ node: node.id, name: "add", title: "add it as a learner" },
		...{ cost: "", done: "it is a member already", skip },
		isReached: isJoined,
		changes: async (members) => {
			if (memberOf(members, node.id) !== null)
				throw refusedGoal(work, node.id, "is a member with other data");
			// Asked right before it counts: what answers there may have been exchanged since it was started.
			const status = await requireCandidate(context, node, lock.signal);
			if (status === null)
				throw new OperatorError("unreachable", `${node.id} does not answer`, {
					node: node.id,
				});
			const { id, peer, client, admin } = node;
			const { incarnation } = status;
			return [{ id, type: "add", peer, client, admin, incarnation }];
		},
		changed: (changes) => countChanges(work, changes),
	});
}

interface CatchingUp {
	readonly isJoined: IsMember;
	readonly timeoutMs: number;
	readonly service: Awaited<ReturnType<typeof serviceOf>>;
}

export function catchingUp(
	{ context, skip }: Work,
	node: NodeEntry,
	wish: CatchingUp,
): readonly Step[] {
	return skip.includes("catch-up")
		? []
		: [awaitCaughtUpStep(context, { node, ...wish })];
}

/** One change that leads to the goals, with what it costs in safety. */
export function changing(
	work: Work,
	wish: {
		readonly node: string;
		readonly name: string;
		readonly title: string;
		readonly goals: Goals;
	},
): Step {
	const { context, lock, skip, view } = work;
	const { node, name, title, goals } = wish;
	// As if all were members by then: a plan begins with those that are not.
	const planned = Object.entries(goals).map(
		([id, goal]): MembershipChange => ({ id, type: changeTypes[goal] }),
	);
	const joining = Object.keys(goals).filter((id) => goals[id] === "voter");
	const verdict = judgeChange(view.facts, planned, {
		...healthLimits(context),
		assumed: joining,
	});
	return changeMembershipStep(context, lock, {
		...{ node, name, title, done: "it is so already", skip },
		cost: toleranceText(verdict),
		isReached: (members) => areReached(members, goals),
		changes: async (members) => {
			for (const [id, goal] of Object.entries(goals))
				if (goal !== "gone" && roleOf(members, id) === null)
					throw refusedGoal(work, id, "is not a member any more");
			return changesTowards(members, goals);
		},
		changed: (changes) => countChanges(work, changes),
	});
}

const changeTypes = {
	voter: "promote",
	learner: "demote",
	gone: "remove",
} as const satisfies Record<Goal, MembershipChange["type"]>;

function refusedGoal(
	{ context }: Work,
	node: string,
	fault: string,
): OperatorError {
	return new OperatorError("refused", `${node} ${fault}`, {
		node,
		state: "somebody else changed the members meanwhile",
		next: `${commandFor(context, "status")}, then ${commandFor(context, "operation resume")} or ${commandFor(context, "operation abort")}`,
	});
}

export function promoting(work: Work, id: string): Step {
	return changing(work, {
		...{ node: id, name: "promote", title: "let it vote" },
		goals: { [id]: "voter" },
	});
}

/** Every member says so itself. */
export function agreeing({ context, tally }: Work): Step {
	return agreeOnMembersStep(context, (agreement) => {
		tally.agreement = agreement;
	});
}

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
	const hold = holdDrain(context, { node, fencingToken: lock.fencingToken });
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

/** Stops what is no member any more; what was said against its data is over with that. */
export async function stopping(
	work: Work,
	node: NodeEntry,
): Promise<readonly Step[]> {
	const { context, lock, tally } = work;
	const service = await serviceOf(work, node);
	const hold = tally.holds.get(node.id) ?? null;
	return [
		...(service === null
			? []
			: [stopNodeStep(context, lock, { node, service, hold })]),
		clearAlarmsStep(context, lock, node),
	];
}
