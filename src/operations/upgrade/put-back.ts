import { statusOf } from "../../cluster/facts.js";
import { lookAtCluster } from "../context.js";
import { nodeNamed } from "../node-named.js";
import { writeNodeConfig } from "../node-service.js";
import type { Run } from "../operation.js";
import { currentRelease, switchRelease } from "../releases/installed.js";
import type { Step } from "../steps/step.js";
import type { Targets } from "./goal.js";

/**
 * A node that was given its release and never started with it, as its operator was killed in between, would begin with it
 * at its next start, whenever that comes: who gives the upgrade up gives it back what it runs.
 */
export async function putBackSteps(
	{ context, lock, memo }: Run,
	targets: Targets,
	ownRelease: string,
): Promise<readonly Step[]> {
	const facts = await lookAtCluster(context, lock.signal);
	const { releases } = memo as { readonly releases: Targets };
	return Object.entries(targets).flatMap(([id, target]) => {
		const release = statusOf(facts, id)?.release;
		if (release === undefined || release === (target ?? ownRelease)) return [];
		const node = nodeNamed(context, id);
		const former = releases[id] ?? null;
		return [
			{
				...{ id: `${id}/put-back`, node: id, cost: "" },
				title: "let it start with what it runs",
				async isDone() {
					const next = await currentRelease(context, node);
					return (next?.version ?? null) === former ? "it does" : null;
				},
				// Done half, it is done again by whoever takes the giving up up.
				undo: async () => undefined,
				async run() {
					await switchRelease(context, node, former);
					await writeNodeConfig(context, node);
					return former ?? ownRelease;
				},
			},
		];
	});
}
