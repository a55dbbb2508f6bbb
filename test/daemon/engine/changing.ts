import type { NodeReplica } from "../../../src/daemon/engine/node-replica.js";
import type {
	CommandOutcome,
	ConfigurationOutcome,
	SnapshotOutcome,
} from "../../../src/daemon/replica.js";
import type {
	ConfigurationChange,
	MemberChange,
} from "../../../src/raft/types.js";
import {
	type LoopbackCluster,
	type LoopbackNode,
	put,
	until,
} from "../../fakes/loopback-cluster.js";

export function addressOf(node: LoopbackNode) {
	const { peer, incarnation } = node;
	return { peer, client: peer, admin: peer, incarnation };
}

export function begin(
	replica: NodeReplica,
	changes: readonly MemberChange[],
	options: Partial<ConfigurationChange> = {},
): Promise<ConfigurationOutcome> {
	return new Promise((resolve) =>
		replica.changeConfiguration(
			{ changes, expectedIndex: null, waived: [], ...options },
			resolve,
		),
	);
}

/** Why a change was refused; another outcome fails the test. */
export async function refusalOf(
	replica: NodeReplica,
	changes: readonly MemberChange[],
	options: Partial<ConfigurationChange> = {},
) {
	const outcome = await settled(() => begin(replica, changes, options));
	if (outcome.kind === "refused") return outcome.refusal;
	throw new Error(`not refused: ${JSON.stringify(outcome)}`);
}

/** Asks again what was refused only for the moment, as an operator would. */
async function settled(
	ask: () => Promise<ConfigurationOutcome>,
): Promise<ConfigurationOutcome> {
	const deadlineMs = performance.now() + 30_000;
	for (;;) {
		const outcome = await ask();
		const passing =
			outcome.kind === "refused" &&
			["change-in-flight", "term-not-committed"].includes(
				outcome.refusal.reason,
			);
		if (!passing || performance.now() > deadlineMs) return outcome;
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

/** Changes the cluster through whoever leads, until it is done. */
export async function change(
	cluster: LoopbackCluster,
	...changes: readonly MemberChange[]
): Promise<number> {
	const deadlineMs = performance.now() + 30_000;
	for (;;) {
		const { replica } = await cluster.leading();
		const outcome = await settled(() => begin(replica, changes));
		if (outcome.kind === "done") return outcome.index;
		const lagging =
			outcome.kind === "refused" &&
			["target-lagging", "target-unreachable", "not-leader"].includes(
				outcome.refusal.reason,
			);
		if (!lagging || performance.now() > deadlineMs)
			throw new Error(`not done: ${JSON.stringify(outcome)}`);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
}

export function takeSnapshot(replica: NodeReplica): Promise<SnapshotOutcome> {
	return new Promise((resolve) => replica.takeSnapshot(resolve));
}

/** Fewer than a node refuses to queue. */
const atOnce = 500;

/** Writes so many values; their keys are `<prefix><number>`. */
export async function fill(
	replica: NodeReplica,
	prefix: string,
	count: number,
	value = "v",
): Promise<void> {
	const outcomes: CommandOutcome[] = [];
	while (outcomes.length < count) {
		const batch = Array.from(
			{ length: Math.min(atOnce, count - outcomes.length) },
			(_, at) => put(replica, `${prefix}${outcomes.length + at}`, value),
		);
		outcomes.push(...(await Promise.all(batch)));
	}
	const failed = outcomes.filter(({ kind }) => kind !== "applied");
	if (failed.length > 0) throw new Error(JSON.stringify(failed[0]));
}

/** Waits until `replica` has applied all that is committed now where `leader` leads. */
export async function level(
	replica: NodeReplica,
	leader: NodeReplica,
): Promise<void> {
	const { commit } = leader.status().raft;
	await until("a replica that is level", () => {
		return replica.status().applied >= commit;
	});
}
