import type { NodeStatus } from "../../src/cluster/engine.js";
import type { ClusterFacts } from "../../src/cluster/facts.js";
import { FakeClock } from "../fakes/fake-clock.js";
import { FakeCluster } from "../fakes/fake-cluster.js";

export const limits = { heardWithinMs: 1_000, lagEntries: 100 };

export type Change = Partial<NodeStatus> | "silent";

/** What a healthy cluster of `voters` nodes, n1 leading, answers, but for the changes. */
export function factsOf(
	voters: number,
	changes: Readonly<Record<string, Change>> = {},
): ClusterFacts {
	const ids = Array.from({ length: voters }, (_, n) => `n${n + 1}`);
	const cluster = new FakeCluster(
		new FakeClock(),
		Object.fromEntries(ids.map((id) => [id, "voter" as const])),
	);
	return {
		nodes: ids.map((id) => {
			const change = changes[id];
			return change === "silent"
				? { id, status: null, fault: "does not answer" }
				: { id, status: { ...cluster.status(id), ...change }, fault: "" };
		}),
	};
}
