import type { GivenNode } from "../../config/new-node.js";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { nodeNamed } from "../node-named.js";
import type { Step } from "../steps/step.js";
import { requireSafeChange } from "./admission.js";
import { agreeing, changing } from "./changing.js";
import {
	entryFor,
	type FileGoal,
	filing,
	introducing,
} from "./cluster-file.js";
import { joining, startingAgain } from "./joining.js";
import { leaving, stopping, undraining } from "./leaving.js";
import { areReached, type Goal, isMember, type Role } from "./members.js";
import {
	admitNewcomer,
	type Newcomer,
	requireMember,
	withdrawing,
} from "./newcomer.js";
import {
	type MembershipMemo,
	type MembershipOperation,
	membershipOperation,
} from "./operation.js";
import { catchUpDefaultMs, type Skip } from "./options.js";
import { keepNotes } from "./remove-node.js";
import { unless } from "./unless.js";
import { entryIn, type View } from "./view.js";
import { leaderNow, type Work } from "./work.js";

export interface ReplaceNodeWish {
	readonly old: string;
	readonly new: string;
	readonly given: GivenNode;
	/** How long the new one may take to catch up; 10 minutes when left out. */
	readonly timeoutMs?: number;
	readonly skip: Skip;
}

interface ReplaceMemo extends MembershipMemo {
	readonly newcomer: Newcomer;
	/** What the new one becomes. */
	readonly role: Exclude<Role, null | "outgoing">;
}

/** One node for another: there is never a voter less than before, as both change places in one joint change. */
export function replaceNode(wish: ReplaceNodeWish): MembershipOperation {
	const { old, new: id, given, skip } = wish;
	const goals = ({ role }: ReplaceMemo): Readonly<Record<string, Goal>> => ({
		...{ [old]: "gone", [id]: role },
	});
	return membershipOperation<ReplaceMemo>({
		name: "replace-node",
		words: ["replace-node", old, id],
		arguments: wish,
		skip,
		nodes: async (context) => {
			requireTwo(context, wish);
			return [entryFor(context, id, given)];
		},
		async prepare(view, base) {
			const leaves = nodeNamed(without(view, id), old);
			const comes = entryIn(view, id);
			const role = requireMember(view, old) === "voter" ? "voter" : "learner";
			const inFile = base.inventory.nodes.some((one) => one.id === id);
			const newcomer = await admitNewcomer(view, comes, inFile);
			refuseVoter(view, newcomer);
			const memo = { nodes: [leaves, comes], newcomer, role } as const;
			await requireSafeChange(view, {
				changes: [
					{ id: old, type: "remove" },
					...(role === "voter" ? [{ id, type: "promote" as const }] : []),
				],
				...{ assumed: [id], skip, what: `${old} must not be replaced now` },
			});
			return memo;
		},
		async steps(work, memo) {
			const [leaves, comes] = memo.nodes;
			if (leaves === undefined || comes === undefined) return [];
			const timeoutMs = wish.timeoutMs ?? catchUpDefaultMs;
			const isJoined = isMember(id);
			return [
				...(await joining(work, comes, { isJoined, timeoutMs })),
				...unlessReplaced(
					introducing(work, [
						{ type: "present", node: comes, role: memo.role },
					]),
					work,
					memo,
				),
				...leaving(work, leaves, { isStill: isMember(old) }),
				changing(work, {
					...{ node: id, name: "replace", goals: goals(memo) },
					title: `let it take the place of ${old}, in one change`,
				}),
				...(await settled(work, memo)),
			];
		},
		async abortSteps(work, memo) {
			const [leaves, comes] = memo.nodes;
			if (leaves === undefined || comes === undefined) return [];
			const { members } = work.view.leader;
			if (areReached(members, goals(memo))) {
				work.tally.notes.push(`${id} is in the place of ${old} already`);
				return [
					...(await startingAgain(work, comes)),
					...(await settled(work, memo)),
				];
			}
			const absent: FileGoal = { type: "absent", id };
			return [
				undraining(work, leaves),
				...(await withdrawing(work, comes, memo.newcomer)),
				agreeing(work),
				...(memo.newcomer.inFile ? [] : filing(work, [absent])),
			];
		},
	});
}

/** Told at the end that the old one is gone, the balancer must not be told again of both. */
function unlessReplaced(
	steps: readonly Step[],
	work: Work,
	{ nodes }: ReplaceMemo,
): readonly Step[] {
	return steps.map((step) =>
		unless(step, async () => {
			const leader = await leaderNow(work);
			const old = nodes[0]?.id ?? "";
			return leader !== null && !isMember(old)(leader.members)
				? `${old} is no member any more`
				: null;
		}),
	);
}

async function settled(
	work: Work,
	{ nodes, role }: ReplaceMemo,
): Promise<readonly Step[]> {
	const [leaves, comes] = nodes;
	if (leaves === undefined || comes === undefined) return [];
	keepNotes(work, leaves);
	return [
		agreeing(work),
		...(await stopping(work, leaves)),
		...filing(work, [
			{ type: "present", node: comes, role },
			{ type: "absent", id: leaves.id },
		]),
	];
}

/** What there is to be replaced: the new node, which is looked at as if it were there, is nobody's choice. */
function without(
	{ context }: View,
	id: string,
): Pick<typeof context, "inventory"> {
	const { inventory } = context;
	const nodes = inventory.nodes.filter((node) => node.id !== id);
	return { inventory: { ...inventory, nodes } };
}

function requireTwo(
	context: OperationContext,
	{ old, new: id }: ReplaceNodeWish,
): void {
	if (old !== id) return;
	throw new OperatorError("usage", `${id} cannot take its own place`, {
		state: "nothing was touched",
		next: `${commandFor(context, `reset-node ${id}`)} gives it an empty disk`,
	});
}

function refuseVoter({ context }: View, { id, formerRole }: Newcomer): void {
	if (formerRole !== "voter") return;
	throw new OperatorError("refused", `${id} is a voter already`, {
		...{ node: id, state: "nothing was touched" },
		next: commandFor(context, "status"),
	});
}
