import type { ClusterFacts } from "../../cluster/facts.js";
import { statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { nodeService } from "../node-service.js";
import type { Step } from "../steps/step.js";
import { isSilence } from "../wait.js";
import type { Roll } from "./roll.js";

/**
 * A node that was given what is new and never started with it, as its operator was killed in between, would begin with it
 * at its next start, whenever that comes: who gives the roll up gives it back what it ran before.
 */
export function putBackSteps(
	{ context, goal, memo }: Roll,
	world: {
		readonly chosen: readonly NodeEntry[];
		readonly facts: ClusterFacts;
	},
): readonly Step[] {
	const { former } = goal;
	if (former === null) return [];
	const statusIn = (id: string) => statusOf(world.facts, id);
	return world.chosen
		.filter(({ id }) => goal.isToCome(statusIn(id), { id, former: null }))
		.map((node) => ({
			...{ id: `${node.id}/put-back`, node: node.id, cost: "" },
			title: "let it start with what it ran before",
			async isDone() {
				try {
					const isNext = await former.isNext(context, node, memo);
					return isNext ? "it does" : null;
				} catch (error) {
					// A dead host must not keep anybody from giving up: the step itself fails, and that is told.
					if (isSilence(error)) return null;
					throw error;
				}
			},
			// Done half, it is done again by whoever takes the giving up up.
			undo: async () => undefined,
			async run() {
				const service = await nodeService(context, node);
				const mayRunNew = statusIn(node.id) === null;
				if (mayRunNew && (await service.state()).running)
					return "it runs and does not answer: left as it is";
				return former.giveBack(context, node, memo);
			},
		}));
}
