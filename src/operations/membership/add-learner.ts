import type { NodeEntry } from "../../config/inventory.js";
import type { GivenNode } from "../../config/new-node.js";
import { OperatorError } from "../../errors.js";
import { commandFor } from "../context.js";
import { requireSafeChange } from "./admission.js";
import { agreeing, promoting } from "./changing.js";
import { entryFor, type FileGoal, filing } from "./cluster-file.js";
import { joining, startingAgain } from "./joining.js";
import { isMember, roleOf } from "./members.js";
import { admitNewcomer, type Newcomer, withdrawing } from "./newcomer.js";
import {
	type MembershipMemo,
	type MembershipOperation,
	membershipOperation,
} from "./operation.js";
import { catchUpDefaultMs, type Skip } from "./options.js";
import { entryIn, type View } from "./view.js";
import type { Work } from "./work.js";

export interface AddLearnerWish {
	readonly node: string;
	readonly given: GivenNode;
	/** True: goes on until it votes. */
	readonly promote: boolean;
	/** How long it may take to catch up; 10 minutes when left out. */
	readonly timeoutMs?: number;
	readonly skip: Skip;
}

interface AddLearnerMemo extends MembershipMemo {
	readonly newcomer: Newcomer;
}

/** Starts a node, adds it as a learner and waits until it has caught up; with `promote` it votes in the end. */
export function addLearner(wish: AddLearnerWish): MembershipOperation {
	const { node: id, given, promote, skip } = wish;
	return membershipOperation<AddLearnerMemo>({
		name: "add-learner",
		words: ["add-learner", id, promote ? "--promote" : null],
		arguments: wish,
		skip,
		nodes: async (context) => [entryFor(context, id, given)],
		async prepare(view, base) {
			const node = entryIn(view, id);
			const inFile = base.inventory.nodes.some((one) => one.id === id);
			const newcomer = await admitNewcomer(view, node, inFile);
			if (newcomer.formerRole === "voter" && !promote)
				throw new OperatorError("refused", `${id} is a voter already`, {
					...{ node: id, state: "nothing was touched" },
					next: commandFor(base, "status"),
				});
			if (promote) await requireSafePromotion(view, id, skip);
			return { nodes: [node], newcomer };
		},
		async steps(work, { nodes }) {
			const [node] = nodes;
			if (node === undefined) return [];
			const timeoutMs = wish.timeoutMs ?? catchUpDefaultMs;
			const isJoined = isMember(id);
			return [
				...(await joining(work, node, { isJoined, timeoutMs })),
				...(promote ? [promoting(work, id)] : []),
				...settling(work, node, promote),
			];
		},
		async abortSteps(work, { nodes, newcomer }) {
			const [node] = nodes;
			if (node === undefined) return [];
			// It votes: taking its vote away again is another decision.
			if (roleOf(work.view.leader.members, id) === "voter") {
				work.tally.notes.push(`${id} is a voter already and stays one`);
				return [
					...(await startingAgain(work, node)),
					...settling(work, node, promote),
				];
			}
			const goal: FileGoal = { type: "absent", id };
			return [
				...(await withdrawing(work, node, newcomer)),
				agreeing(work),
				...(newcomer.inFile ? [] : filing(work, [goal])),
			];
		},
	});
}

async function requireSafePromotion(view: View, id: string, skip: Skip) {
	await requireSafeChange(view, {
		...{ changes: [{ id, type: "promote" }], assumed: [id], skip },
		what: `${id} must not vote now`,
	});
}

function settling(work: Work, node: NodeEntry, promote: boolean) {
	const role = promote ? "voter" : "learner";
	return [agreeing(work), ...filing(work, [{ type: "present", node, role }])];
}
