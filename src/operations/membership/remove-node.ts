import type { NodeEntry } from "../../config/inventory.js";
import { nodeNamed } from "../node-named.js";
import type { Step } from "../steps/step.js";
import { requireSafeChange } from "./admission.js";
import { agreeing, changing } from "./changing.js";
import { filing } from "./cluster-file.js";
import { leaving, stopping, undraining } from "./leaving.js";
import { isMember, roleOf } from "./members.js";
import { type MembershipOperation, membershipOperation } from "./operation.js";
import type { Skip } from "./options.js";
import { isManaged } from "./view.js";
import type { Work } from "./work.js";

export interface RemoveNodeWish {
	readonly node: string;
	readonly skip: Skip;
}

/** Takes a member out for good, a dead one too, and stops it. Its data directory stays where it is. */
export function removeNode(wish: RemoveNodeWish): MembershipOperation {
	const { node: id, skip } = wish;
	return membershipOperation({
		name: "remove-node",
		words: ["remove-node", id],
		arguments: wish,
		skip,
		async prepare(view) {
			const node = nodeNamed(view.context, id);
			if (roleOf(view.leader.members, id) === "voter")
				await requireSafeChange(view, {
					...{ changes: [{ id, type: "remove" }], skip },
					what: `${id} must not be removed now`,
				});
			return { nodes: [node] };
		},
		async steps(work, { nodes }) {
			const [node] = nodes;
			if (node === undefined) return [];
			return [
				...leaving(work, node, { isStill: isMember(id) }),
				changing(work, {
					...{ node: id, name: "remove", title: "remove it from the members" },
					goals: { [id]: "gone" },
				}),
				...(await partingFrom(work, node)),
			];
		},
		async abortSteps(work, { nodes }) {
			const [node] = nodes;
			if (node === undefined) return [];
			if (isMember(id)(work.view.leader.members))
				return [undraining(work, node)];
			work.tally.notes.push(`${id} is no member any more`);
			return partingFrom(work, node);
		},
	});
}

/** What is left to do once a node is no member. */
export async function partingFrom(
	work: Work,
	node: NodeEntry,
): Promise<readonly Step[]> {
	keepNotes(work, node);
	return [
		agreeing(work),
		...(await stopping(work, node)),
		...filing(work, [{ type: "absent", id: node.id }]),
	];
}

export function keepNotes({ tally }: Work, node: NodeEntry): void {
	tally.notes.push(
		isManaged(node)
			? `the data of ${node.id} is kept in ${node.dataDirectory} on ${node.host}; remove it once nobody needs it`
			: `${node.id} is not in the cluster file: stop its process where it runs`,
	);
}
