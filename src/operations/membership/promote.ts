import { OperatorError } from "../../errors.js";
import { commandFor } from "../context.js";
import { catchUpFault } from "../steps/await-caught-up.js";
import { requireSafeChange } from "./admission.js";
import { agreeing, promoting } from "./changing.js";
import { filing } from "./cluster-file.js";
import { catchingUp } from "./joining.js";
import { isMember, roleOf } from "./members.js";
import { requireMember } from "./newcomer.js";
import { type MembershipOperation, membershipOperation } from "./operation.js";
import { catchUpDefaultMs, type Skip } from "./options.js";
import { entryIn, type View } from "./view.js";
import { serviceOf } from "./work.js";

export interface PromoteWish {
	readonly node: string;
	/** False: refused with numbers unless it has caught up already. */
	readonly wait: boolean;
	/** How long it may take to catch up; 10 minutes when left out. */
	readonly timeoutMs?: number;
	readonly skip: Skip;
}

/** Lets a learner vote, once it has caught up. */
export function promote(wish: PromoteWish): MembershipOperation {
	const { node: id, wait, skip } = wish;
	return membershipOperation({
		name: "promote",
		words: ["promote", id, wait ? null : "--no-wait"],
		arguments: wish,
		skip,
		async prepare(view) {
			const nodes = [];
			if (requireMember(view, id) !== "voter") {
				if (!wait) requireCaughtUp(view, id, skip);
				await requireSafeChange(view, {
					...{ changes: [{ id, type: "promote" }], skip },
					...{ assumed: wait ? [id] : [], what: `${id} must not vote now` },
				});
			}
			nodes.push(entryIn(view, id));
			return { nodes };
		},
		async steps(work, { nodes }) {
			const [node] = nodes;
			if (node === undefined) return [];
			const timeoutMs = wish.timeoutMs ?? catchUpDefaultMs;
			const service = await serviceOf(work, node);
			const wishes = { isJoined: isMember(id), timeoutMs, service };
			return [
				...(wait ? catchingUp(work, node, wishes) : []),
				promoting(work, id),
				agreeing(work),
				...filing(work, [{ type: "present", node, role: "voter" }]),
			];
		},
		async abortSteps(work, { nodes }) {
			const [node] = nodes;
			if (roleOf(work.view.leader.members, id) !== "voter") return [];
			work.tally.notes.push(`${id} is a voter already and stays one`);
			return node === undefined
				? []
				: [
						agreeing(work),
						...filing(work, [{ type: "present", node, role: "voter" }]),
					];
		},
	});
}

function requireCaughtUp({ context, facts }: View, id: string, skip: Skip) {
	const fault = catchUpFault(context, facts, id);
	if (fault === null || skip.includes("catch-up")) return;
	throw new OperatorError("refused", `${id} has not caught up: ${fault}`, {
		...{ node: id, state: "nothing was touched" },
		next: `${commandFor(context, `promote ${id}`)} waits for it`,
	});
}
