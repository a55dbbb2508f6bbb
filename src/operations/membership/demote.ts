import { requireSafeChange } from "./admission.js";
import { agreeing, changing } from "./changing.js";
import { filing } from "./cluster-file.js";
import { handingOver } from "./leaving.js";
import { roleOf } from "./members.js";
import { requireMember } from "./newcomer.js";
import { type MembershipOperation, membershipOperation } from "./operation.js";
import type { Skip } from "./options.js";
import { unless } from "./unless.js";
import { entryIn } from "./view.js";
import { leaderNow, type Work } from "./work.js";

export interface DemoteWish {
	readonly node: string;
	readonly skip: Skip;
}

/** Takes a voter's vote away; it stays as a learner. A leader hands over first. */
export function demote(wish: DemoteWish): MembershipOperation {
	const { node: id, skip } = wish;
	const settled = (work: Work) => {
		const node = entryIn(work.view, id);
		return [
			agreeing(work),
			...filing(work, [{ type: "present", node, role: "learner" }]),
		];
	};
	return membershipOperation({
		name: "demote",
		words: ["demote", id],
		arguments: wish,
		skip,
		async prepare(view) {
			if (requireMember(view, id) === "voter")
				await requireSafeChange(view, {
					...{ changes: [{ id, type: "demote" }], skip },
					what: `${id} must keep its vote`,
				});
			return { nodes: [entryIn(view, id)] };
		},
		async steps(work) {
			const noVoter = async () => {
				const leader = await leaderNow(work);
				return leader !== null && roleOf(leader.members, id) !== "voter"
					? "it has no vote any more"
					: null;
			};
			return [
				unless(handingOver(work, [id], []), noVoter),
				changing(work, {
					...{ node: id, name: "demote", title: "take its vote away" },
					goals: { [id]: "learner" },
				}),
				...settled(work),
			];
		},
		async abortSteps(work) {
			if (roleOf(work.view.leader.members, id) === "voter") return [];
			work.tally.notes.push(`${id} has no vote any more`);
			return settled(work);
		},
	});
}
