import type { MemberStatus } from "../../cluster/engine.js";
import { statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { commandFor, healthLimits } from "../context.js";
import { nodeNamed } from "../node-named.js";
import { admitNodeStep } from "../steps/admit-node.js";
import { changeMembershipStep } from "../steps/change-membership.js";
import { setAsideDataStep } from "../steps/set-aside-data.js";
import type { Step } from "../steps/step.js";
import { requireSafeChange } from "./admission.js";
import { identityOf, requireRemovable } from "./candidate.js";
import { agreeing, promoting } from "./changing.js";
import { joining, startingAgain } from "./joining.js";
import { leaving, stopping, undraining } from "./leaving.js";
import { memberOf, roleOf } from "./members.js";
import { requireMember } from "./newcomer.js";
import {
	type MembershipMemo,
	type MembershipOperation,
	membershipOperation,
} from "./operation.js";
import { catchUpDefaultMs, type Skip } from "./options.js";
import { requireResettable } from "./resettable.js";
import { unless } from "./unless.js";
import { removalCost } from "./verdict.js";
import { isManaged, type View } from "./view.js";
import { countChanges, serviceOf, type Work } from "./work.js";

export interface ResetNodeWish {
	readonly node: string;
	/** True: the old data is removed; false: it is set aside. */
	readonly discard: boolean;
	/** How long it may take to catch up; 10 minutes when left out. */
	readonly timeoutMs?: number;
	readonly skip: Skip;
}

interface ResetMemo extends MembershipMemo {
	readonly wasVoter: boolean;
	/** Of the data that goes. Another one means: reset already. */
	readonly incarnation: string;
	readonly aside: string;
}

/**
 * Gives a member an empty disk: out of the members, stopped, its data set aside, and in again as a learner with another
 * incarnation (P31), which votes again once it has caught up. It leaves the members before it loses its data: at no moment
 * does a vote count that is forgotten.
 */
export function resetNode(wish: ResetNodeWish): MembershipOperation {
	const { node: id, skip } = wish;
	return membershipOperation<ResetMemo>({
		name: "reset-node",
		words: ["reset-node", id, wish.discard ? "--discard" : null],
		arguments: wish,
		skip,
		async prepare(view) {
			const node = nodeNamed(view.context, id);
			const wasVoter = requireMember(view, id) === "voter";
			requireReachable(view, node);
			if (wasVoter)
				await requireSafeChange(view, {
					...{ changes: [{ id, type: "remove" }], skip },
					what: `${id} must not be reset now`,
				});
			const incarnation = await incarnationOf(view, node);
			await requireResettable(view.context, node, wish);
			const time = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
			const aside = `${node.dataDirectory}.before-reset-${time}`;
			return { nodes: [node], wasVoter, incarnation, aside };
		},
		async steps(work, memo) {
			const [node] = memo.nodes;
			if (node === undefined) return [];
			const { incarnation, wasVoter } = memo;
			const timeoutMs = wish.timeoutMs ?? catchUpDefaultMs;
			const isJoined = (members: Members) => isNew(members, id, incarnation);
			const isStill = (members: Members) => isOld(members, id, incarnation);
			return [
				...leaving(work, node, { isStill }),
				removeOld(work, node, memo),
				...(await stoppingOld(work, node, memo)),
				...(await settingAside(work, node, { memo, discard: wish.discard })),
				...(await joining(work, node, { isJoined, timeoutMs })),
				...(wasVoter ? [promotingAgain(work, id, isJoined)] : []),
				agreeing(work),
				admitting(work, node),
			];
		},
		async abortSteps(work, memo) {
			const [node] = memo.nodes;
			if (node === undefined) return [];
			const { members } = work.view.leader;
			if (isOld(members, id, memo.incarnation)) return [undraining(work, node)];
			const { discard } = wish;
			if (isNew(members, id, memo.incarnation)) {
				if (roleOf(members, id) === "learner" && memo.wasVoter)
					work.tally.notes.push(
						`${id} stays a learner; ${commandFor(work.base, `promote ${id}`)} lets it vote`,
					);
				return [...(await startingAgain(work, node)), agreeing(work)];
			}
			work.tally.notes.push(
				`${id} is no member any more; ${commandFor(work.base, `add-learner ${id}${memo.wasVoter ? " --promote" : ""}`)} takes it in again, with an empty disk`,
			);
			// What waits to be added has new data, and goes, too.
			return [
				...(await stopping(work, node)),
				...(await settingAside(work, node, { memo, discard })),
				agreeing(work),
			];
		},
	});
}

type Members = readonly MemberStatus[];

function isNew(members: Members, id: string, incarnation: string): boolean {
	const now = memberOf(members, id)?.incarnation ?? "";
	return now !== "" && now !== incarnation;
}

function isOld(members: Members, id: string, incarnation: string): boolean {
	return memberOf(members, id) !== null && !isNew(members, id, incarnation);
}

function removeOld(work: Work, node: NodeEntry, memo: ResetMemo): Step {
	const { context, lock, skip, view } = work;
	const { id } = node;
	const { incarnation, wasVoter } = memo;
	return changeMembershipStep(context, lock, {
		...{ node: id, name: "remove", title: "remove it from the members" },
		cost: wasVoter ? removalCost(view.facts, id, healthLimits(context)) : "",
		...{ done: "it is no member with its old data", skip },
		isReached: (members) => !isOld(members, id, incarnation),
		changes: async () => [{ id, type: "remove" }],
		changed: (changes) => countChanges(work, changes),
	});
}

async function stoppingOld(
	work: Work,
	node: NodeEntry,
	{ incarnation }: ResetMemo,
): Promise<readonly Step[]> {
	const isReset = async () => {
		const identity = await identityOf(work.context, node);
		return identity !== null && identity.incarnation !== incarnation
			? "it has new data already"
			: null;
	};
	const steps = await stopping(work, node);
	return steps.map((step) => unless(step, isReset));
}

async function settingAside(
	work: Work,
	node: NodeEntry,
	wish: { readonly memo: ResetMemo; readonly discard: boolean },
): Promise<readonly Step[]> {
	const { context, lock, tally } = work;
	const { incarnation } = wish.memo;
	const aside = wish.discard ? null : wish.memo.aside;
	const service = await serviceOf(work, node);
	if (service === null) return [];
	if (aside !== null)
		tally.notes.push(`the former data of ${node.id} is kept in ${aside}`);
	return [
		setAsideDataStep(context, lock, { node, service, incarnation, aside }),
	];
}

/** Not while it is the old member: that one votes already, and is to go. */
function promotingAgain(
	work: Work,
	id: string,
	isJoined: (members: Members) => boolean,
): Step {
	const step = promoting(work, id);
	return {
		...step,
		isDone: async () => {
			const { leader } = work.view;
			return isJoined(leader.members)
				? ((await step.isDone?.()) ?? null)
				: null;
		},
	};
}

function admitting({ context, lock, skip }: Work, node: NodeEntry): Step {
	return admitNodeStep(context, {
		...{ node, fencingToken: lock.fencingToken },
		skipBalancer: skip.includes("balancer"),
		admitted: async () => undefined,
	});
}

function requireReachable({ context }: View, node: NodeEntry): void {
	if (isManaged(node)) {
		requireRemovable(context.inventory, node);
		return;
	}
	throw new OperatorError(
		"refused",
		`${node.id} is not in the cluster file, so nobody knows where its data lies`,
		{ node: node.id, state: "nothing was touched" },
	);
}

/** As the members know it; a founder that nobody has met yet is known to itself, and a dead one to its disk. */
async function incarnationOf(view: View, node: NodeEntry): Promise<string> {
	const known = memberOf(view.leader.members, node.id)?.incarnation ?? "";
	if (known !== "") return known;
	const own = statusOf(view.facts, node.id)?.incarnation ?? "";
	if (own !== "") return own;
	return (await identityOf(view.context, node))?.incarnation ?? "";
}
