import type { NodeStatus } from "../../cluster/engine.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { commandFor } from "../context.js";
import { awaitCaughtUpStep } from "../steps/await-caught-up.js";
import { withHostStep } from "../steps/boot.js";
import { changeMembershipStep } from "../steps/change-membership.js";
import { joinNodeStep, requireCandidate } from "../steps/join-node.js";
import { startAgainStep } from "../steps/start-again.js";
import type { Step } from "../steps/step.js";
import { refusedGoal } from "./changing.js";
import { type IsMember, memberOf } from "./members.js";
import { countChanges, serviceOf, type Work } from "./work.js";

/** Starts a node, adds it as a learner, lets it start with its host, and waits until it has caught up. */
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
		...(service?.boot === undefined
			? []
			: [
					withHostStep(lock, {
						...{ node, boot: service.boot, notes: work.tally.notes },
					}),
				]),
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
			requireReader(work, node, status);
			const { id, peer, client, admin } = node;
			const { incarnation } = status;
			return [{ id, type: "add", peer, client, admin, incarnation }];
		},
		changed: (changes) => countChanges(work, changes),
	});
}

/** No link would ever be made to one that cannot read what is written: it would wait for the log in vain. */
function requireReader(
	{ context, view }: Work,
	node: NodeEntry,
	{ levels: { readsFrom, readsTo } }: NodeStatus,
): void {
	const { writeLevel } = view.leader;
	if (writeLevel === null) return;
	const { level, release } = writeLevel;
	if (level >= readsFrom && level <= readsTo) return;
	const reads = readsFrom === readsTo ? readsTo : `${readsFrom} to ${readsTo}`;
	throw new OperatorError(
		"refused",
		`${node.id} cannot be added: the cluster writes level ${level}, and its release reads ${reads}`,
		{
			...{ node: node.id, state: "the membership was not changed" },
			next:
				node.host === "local"
					? `start it with the release ${release} or a later one`
					: `give its host the release ${release} or a later one: ${commandFor(context, `deploy --node ${node.id} --release PATH`)}`,
		},
	);
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
