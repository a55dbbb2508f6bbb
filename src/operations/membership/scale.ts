import type { MembershipChange } from "../../cluster/engine.js";
import { voterFault } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { commandFor, healthLimits, type OperationContext } from "../context.js";
import { nodeNamed } from "../node-named.js";
import type { Step } from "../steps/step.js";
import { requireSafeChange } from "./admission.js";
import { agreeing, changing } from "./changing.js";
import { filing } from "./cluster-file.js";
import { catchingUp, joining, startingAgain } from "./joining.js";
import { handingOver } from "./leaving.js";
import { areReached, type Goal, isMember, roleOf } from "./members.js";
import { admitNewcomer, type Newcomer, withdrawing } from "./newcomer.js";
import {
	type MembershipMemo,
	type MembershipOperation,
	membershipOperation,
} from "./operation.js";
import { catchUpDefaultMs, type Skip } from "./options.js";
import { type Chosen, chooseVoters, type ScaleChoice } from "./scale-choice.js";
import { unless } from "./unless.js";
import { entryIn, type View } from "./view.js";
import { leaderNow, serviceOf, type Work } from "./work.js";

export interface ScaleWish {
	readonly voters: number;
	/** How long each learner may take to catch up; 10 minutes when left out. */
	readonly timeoutMs?: number;
	readonly skip: Skip;
}

interface ScaleMemo extends MembershipMemo {
	/** Chosen once: what is left to do must not become something else on the way. */
	readonly promote: readonly Chosen[];
	readonly demote: readonly Chosen[];
	readonly newcomers: readonly Newcomer[];
}

/** Lets so many nodes vote, in one joint change; learners that it takes are waited for first. */
export function scale(wish: ScaleWish): MembershipOperation {
	const { voters, skip } = wish;
	return membershipOperation<ScaleMemo>({
		name: "scale",
		words: ["scale", `--voters ${voters}`],
		arguments: wish,
		skip,
		async prepare(view, base) {
			const choice = choose(view, base, voters);
			warnOfEven(base, voters);
			const { add, promote, demote } = choice;
			const nodes = [...promote, ...demote].map(({ node }) =>
				entryIn(view, node),
			);
			const newcomers: Newcomer[] = [];
			for (const { node } of add)
				newcomers.push(
					await admitNewcomer(view, nodeNamed(view.context, node), true),
				);
			const memo = { nodes, promote, demote, newcomers };
			const changes = changesOf(memo);
			if (changes.length > 0)
				await requireSafeChange(view, {
					...{ changes, assumed: promote.map(({ node }) => node), skip },
					what: `there must not be ${votersText(voters)} now`,
				});
			return memo;
		},
		async steps(work, memo) {
			return [
				...(await preparing(work, memo, wish.timeoutMs ?? catchUpDefaultMs)),
				...handover(work, memo),
				...voting(work, memo, voters),
				...settled(work, memo),
			];
		},
		async abortSteps(work, memo) {
			const { members } = work.view.leader;
			if (areReached(members, goalsOf(memo))) {
				work.tally.notes.push(
					`there ${voters === 1 ? "is" : "are"} ${votersText(voters)} already`,
				);
				return [...(await staying(work, memo)), ...settled(work, memo)];
			}
			const steps: Step[] = [];
			for (const newcomer of memo.newcomers) {
				const node = entryIn(work.view, newcomer.id);
				steps.push(...(await withdrawing(work, node, newcomer)));
			}
			return steps.length === 0 ? [] : [...steps, agreeing(work)];
		},
	});
}

function choose(
	{ context, facts, leader }: View,
	{ inventory }: OperationContext,
	voters: number,
): ScaleChoice {
	const limits = healthLimits(context);
	const sound = leader.members
		.map(({ id }) => id)
		.filter((node) => voterFault(facts, { leader, node, limits }) === null);
	const { members, nodeId } = leader;
	const choice = chooseVoters({
		...{ voters, members, sound, nodes: inventory.nodes, leader: nodeId },
	});
	if (choice.missing === 0) return choice;
	throw new OperatorError(
		"refused",
		`there are not enough nodes for ${votersText(voters)}: ${choice.missing} more ${choice.missing === 1 ? "is" : "are"} needed`,
		{
			state: "nothing was touched",
			next: `put more nodes into ${inventory.source}, or ${commandFor(context, "add-learner <node>")} first`,
		},
	);
}

function votersText(voters: number): string {
	return `${voters} ${voters === 1 ? "voter" : "voters"}`;
}

function warnOfEven({ emit }: OperationContext, voters: number): void {
	if (voters % 2 === 1) return;
	emit({
		...{ type: "warning", node: null },
		message: `${voters} voters survive no more losses than ${voters - 1}, and need a larger majority`,
	});
}

function changesOf({ promote, demote }: ScaleMemo): MembershipChange[] {
	return [
		...promote.map(({ node }) => ({ id: node, type: "promote" as const })),
		...demote.map(({ node }) => ({ id: node, type: "demote" as const })),
	];
}

function goalsOf({
	promote,
	demote,
}: ScaleMemo): Readonly<Record<string, Goal>> {
	return Object.fromEntries([
		...promote.map(({ node }) => [node, "voter"] as const),
		...demote.map(({ node }) => [node, "learner"] as const),
	]);
}

async function preparing(
	work: Work,
	{ promote, newcomers }: ScaleMemo,
	timeoutMs: number,
): Promise<readonly Step[]> {
	const steps: Step[] = [];
	for (const { node: id, reason } of promote) {
		const node = entryIn(work.view, id);
		const isJoined = isMember(id);
		const isNew = newcomers.some((newcomer) => newcomer.id === id);
		const own = isNew
			? await joining(work, node, { isJoined, timeoutMs })
			: catchingUp(work, node, {
					...{ isJoined, timeoutMs },
					service: await serviceOf(work, node),
				});
		steps.push(
			...own.map((step, at) => (at === 0 ? withReason(step, reason) : step)),
		);
	}
	return steps;
}

function withReason(step: Step, reason: string): Step {
	const cost = step.cost === "" ? reason : `${reason}; ${step.cost}`;
	return { ...step, cost };
}

function handover(work: Work, { demote }: ScaleMemo): readonly Step[] {
	if (demote.length === 0) return [];
	const ids = demote.map(({ node }) => node);
	const heirs = work.view.leader.members
		.filter(({ id, role }) => role === "voter" && !ids.includes(id))
		.map(({ id }) => id);
	const done = async () => {
		const leader = await leaderNow(work);
		const isDone =
			leader !== null &&
			ids.every((id) => roleOf(leader.members, id) !== "voter");
		return isDone ? "they have no vote any more" : null;
	};
	return [unless(handingOver(work, ids, heirs), done)];
}

function voting(work: Work, memo: ScaleMemo, voters: number): readonly Step[] {
	const { promote, demote } = memo;
	const [first] = [...promote, ...demote];
	if (first === undefined) return [];
	const names = (chosen: readonly Chosen[]) =>
		chosen.map(({ node, reason }) => `${node} (${reason})`).join(", ");
	const words = [
		...(promote.length > 0 ? [`let ${names(promote)} vote`] : []),
		...(demote.length > 0 ? [`take the vote of ${names(demote)} away`] : []),
	];
	const step = changing(work, {
		...{ node: first.node, name: "vote", goals: goalsOf(memo) },
		title: `${words.join(" and ")}, in one change`,
	});
	return [{ ...step, id: `cluster/voters-${voters}`, node: null }];
}

/** Nodes that this operation added and that vote by now. */
async function staying(
	work: Work,
	{ newcomers }: ScaleMemo,
): Promise<readonly Step[]> {
	const added = newcomers.filter(({ formerRole }) => formerRole === null);
	const starts = added.map(({ id }) =>
		startingAgain(work, entryIn(work.view, id)),
	);
	return (await Promise.all(starts)).flat();
}

function settled(work: Work, { promote, demote }: ScaleMemo): readonly Step[] {
	const present = (role: NodeEntry["role"]) => (one: Chosen) => ({
		...{ type: "present" as const, role, node: entryIn(work.view, one.node) },
	});
	const goals = [
		...promote.map(present("voter")),
		...demote.map(present("learner")),
	];
	return goals.length === 0 ? [] : [agreeing(work), ...filing(work, goals)];
}
