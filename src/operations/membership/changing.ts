import type { MembershipChange } from "../../cluster/engine.js";
import { OperatorError } from "../../errors.js";
import { commandFor, healthLimits } from "../context.js";
import { agreeOnMembersStep } from "../steps/agree-on-members.js";
import { changeMembershipStep } from "../steps/change-membership.js";
import type { Step } from "../steps/step.js";
import { areReached, changesTowards, type Goal, roleOf } from "./members.js";
import { judgeChange, toleranceText } from "./verdict.js";
import { countChanges, type Work } from "./work.js";

type Goals = Readonly<Record<string, Goal>>;

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

/** For what nobody here did: the members are others than this operation counted on. */
export function refusedGoal(
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
