import type { NodeStatus } from "../../cluster/engine.js";
import { confirmedLeader } from "../../cluster/health.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import { nodeService } from "../node-service.js";
import { requireRunning } from "../steps/running.js";
import type { Step } from "../steps/step.js";
import { waitUntil } from "../wait.js";
import { contextOf } from "./new-cluster.js";
import type { Birth } from "./new-cluster-steps.js";

/** On top of a start: a large state is read from the disk first. */
const loadTimeoutMs = 120_000;

/** Waits until every member says the same of the new cluster, and that its index is beyond the old one's. */
export function verifyStep({ run, cluster, tally, fromIndex }: Birth): Step {
	const born = contextOf(run.context, cluster);
	const { signal } = run.lock;
	const look = async () => {
		const { missing, verified } = await judge(born, signal, await fromIndex());
		tally.verified = verified ?? tally.verified;
		return missing;
	};
	return {
		...{ id: "cluster/verify", node: null, cost: "", looks: true },
		title: "wait until every node is ready and says the same",
		isDone: async () =>
			(await look()) === null ? "every node says the same" : null,
		async run(_signal, progress) {
			await waitUntil(born, {
				name: "every node of the new cluster to be ready and to say the same",
				...{ node: null, signal, progress },
				timeoutMs: born.inventory.roll.startTimeoutMs + loadTimeoutMs,
				probe: async () => {
					await requireAllRunning(born);
					return look();
				},
			});
			const { index = 0, leader = "" } = tally.verified ?? {};
			return `at index ${index}, led by ${leader}`;
		},
	};
}

async function judge(
	born: OperationContext,
	signal: AbortSignal,
	fromIndex: number,
) {
	const facts = await lookAtCluster(born, signal);
	const leader = confirmedLeader(facts);
	const silent = facts.nodes.find(({ status }) => status === null);
	const missing = (what: string) => ({ missing: what, verified: null });
	if (silent !== undefined) return missing(`${silent.id} ${silent.fault}`);
	if (leader === null) return missing("no leader that a quorum confirms");
	const statuses = facts.nodes.flatMap(({ status }) => status ?? []);
	const unready = statuses.find(({ ready }) => !ready);
	if (unready !== undefined) return missing(`${unready.nodeId} is not ready`);
	if (new Set(statuses.map(viewOf)).size > 1)
		return missing("the nodes do not say the same yet");
	if (leader.appliedIndex <= fromIndex)
		return missing(
			`index ${leader.appliedIndex} is not beyond the old cluster's ${fromIndex}`,
		);
	const index = leader.appliedIndex;
	return { missing: null, verified: { index, leader: leader.nodeId } };
}

function viewOf({ members, configurationIndex, appliedIndex }: NodeStatus) {
	const named = members.map(({ id, role }) => `${id} ${role}`).sort();
	return JSON.stringify([named, configurationIndex, appliedIndex]);
}

/** A process that is gone will not become ready. */
async function requireAllRunning(born: OperationContext): Promise<void> {
	for (const node of born.inventory.nodes) {
		const service = await nodeService(born, node);
		await requireRunning({ service, name: node.id, node: node.id });
	}
}
