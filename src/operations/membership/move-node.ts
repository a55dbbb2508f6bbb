import { isDeepStrictEqual } from "node:util";
import type { MemberStatus } from "../../cluster/engine.js";
import { statusOf } from "../../cluster/facts.js";
import { safeToStop } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { type GivenPlace, movedNode } from "../../config/moved-node.js";
import { OperatorError } from "../../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import { nodeNamed } from "../node-named.js";
import { undraining } from "./leaving.js";
import { memberOf } from "./members.js";
import {
	arriving,
	departing,
	startedThere,
	stayingThere,
	updating,
} from "./moving.js";
import { requireMember } from "./newcomer.js";
import {
	type MembershipMemo,
	type MembershipOperation,
	membershipOperation,
} from "./operation.js";
import type { Skip } from "./options.js";
import { newestMembers, type View } from "./view.js";
import {
	requireDataThere,
	requireGone,
	runsAt,
	whereIs,
} from "./whereabouts.js";

export interface MoveNodeWish {
	readonly node: string;
	readonly given: GivenPlace;
	readonly skip: Skip;
}

/** `nodes` has the one node, as the members know it. */
export interface MoveMemo extends MembershipMemo {
	readonly to: NodeEntry;
	/** Before the move; null when it did not answer. */
	readonly processId: string | null;
}

/**
 * The same member at other addresses: its data stays. The members are told first, through the log, while it still answers
 * where it was (P62); then it is restarted where it is to be. At no moment are more voters away than in a rolling restart.
 */
export function moveNode(wish: MoveNodeWish): MembershipOperation {
	const { node: id, given, skip } = wish;
	return membershipOperation<MoveMemo>({
		name: "move-node",
		words: ["move-node", id, ...wordsOf(given)],
		arguments: wish,
		skip,
		async placed(context, memo, signal) {
			const where = await whereIs(context, memo, signal);
			return where === "former" ? memo.nodes : [memo.to];
		},
		async nodes(context) {
			const file = nodeNamed(context, id);
			const facts = await lookAtCluster(context, context.signal);
			if (statusOf(facts, id) !== null) return [];
			const member = memberOf(newestMembers(facts), id);
			// It may lead, and be asked in vain where the file has it.
			return member === null ? [] : [{ ...file, ...placeOf(member) }];
		},
		async prepare(view, base) {
			requireMember(view, id);
			const file = nodeNamed(base, id);
			const member = memberOf(view.leader.members, id);
			const from = { ...file, ...(member === null ? {} : placeOf(member)) };
			const to = movedNode(base.inventory, file, given);
			requireAnotherPlace(from, to);
			// Whoever edited the file has restarted it, too: the members alone look for it elsewhere.
			const isThere = from.admin !== to.admin && (await runsAt(base, to));
			requireCompany(view, to, isThere);
			await requireDataThere(view.context, { from, to });
			const leader = isThere ? null : view.leader;
			await requireGone(view.context, { from, to, leader });
			if (!isThere) requireSafeStop(view, id, skip);
			const processId = statusOf(view.facts, id)?.processId ?? null;
			return { nodes: [from], to, processId };
		},
		async steps(work, memo) {
			const [from] = memo.nodes;
			if (from === undefined) return [];
			const { to } = memo;
			const where = await whereIs(work.base, memo, work.lock.signal);
			return [
				...(where === "moved"
					? [updating(work, to)]
					: await departing(work, { from, to, isUp: where === "former" })),
				...(await arriving(work, to)),
			];
		},
		async abortSteps(work, memo) {
			const [from] = memo.nodes;
			if (from === undefined) return [];
			const { to } = memo;
			const where = await whereIs(work.base, memo, work.lock.signal);
			if (where === "former")
				return [
					...stayingThere(work, from, to),
					updating(work, from, "move-back"),
					undraining(work, from),
				];
			work.tally.notes.push(`${id} is at ${to.peer} already, and stays there`);
			const isComing = where === "moved";
			return [
				await startedThere(work, { from, to, isComing }),
				updating(work, to),
				// Given up or not, it stays there: the balancer has to know.
				...(await arriving(work, to)),
			];
		},
	});
}

function wordsOf(given: GivenPlace): readonly string[] {
	return Object.entries(given).map(([key, value]) => `--${key} ${value}`);
}

function placeOf({
	peer,
	client,
	admin,
}: MemberStatus): Pick<NodeEntry, "peer" | "client" | "admin"> {
	return { peer, client, admin };
}

function requireAnotherPlace(from: NodeEntry, to: NodeEntry): void {
	if (!isDeepStrictEqual({ ...from }, { ...to })) return;
	throw new OperatorError(
		"usage",
		`${to.id} is at ${to.peer} already, by the members' word and the cluster file's`,
		{
			node: to.id,
			state: "nothing was touched",
			next: "say where it is to be: --peer, --client, --admin, --address or --host",
		},
	);
}

/** The lock and the journal of a cluster of one would go with it, and be looked for where it was. */
function requireCompany(
	{ context, leader }: View,
	{ id }: NodeEntry,
	isThere: boolean,
): void {
	if (isThere || leader.members.some((member) => member.id !== id)) return;
	throw new OperatorError(
		"refused",
		`${id} is the only member, and nobody could tell meanwhile how far it came`,
		{
			node: id,
			state: "nothing was touched",
			next: `${commandFor(context, "down")}, give it its addresses in the cluster file, then ${commandFor(context, "up")} and ${commandFor(context, `move-node ${id}`)}`,
		},
	);
}

/** Before anything is shown or asked; proven anew right before the stop. */
function requireSafeStop(view: View, id: string, skip: Skip): void {
	if (skip.includes("quorum")) return;
	const context: OperationContext = view.context;
	const { safe, reason } = safeToStop(view.facts, id, healthLimits(context));
	if (safe) return;
	throw new OperatorError("refused", `${id} must not be moved now: ${reason}`, {
		...{ node: id, state: "nothing was touched" },
		next: commandFor(context, "status"),
	});
}
