import type { MemberStatus } from "../cluster/engine.js";
import type { NodeEntry } from "../config/inventory.js";
import { reasonOf } from "../errors.js";
import { commandFor, type OperationContext } from "./context.js";
import { askCluster } from "./drift/answers.js";
import {
	backendDifferences,
	clusterIdDifference,
	configurationDifferences,
	type Difference,
	memberDifferences,
	type Telling,
} from "./drift/difference.js";
import {
	configDifferences,
	nodeConfigPath,
	renderNodeConfig,
} from "./node-config.js";
import { type OperationView, unfinishedNow } from "./operations.js";
import { runRelease } from "./releases/installed.js";
import { lookAtBalancer } from "./steps/balancer-view.js";
import { waysThrough } from "./way-through.js";

/** What `raftctl diff --json` prints. */
export interface DiffReport {
	readonly cluster: string;
	/** Of the cluster that answers. */
	readonly clusterId: string;
	readonly leader: string;
	/** True when there is a difference. */
	readonly drift: boolean;
	readonly differences: readonly Difference[];
	/** Not finished; null when nothing is. It comes first, and may be what the differences come from. */
	readonly unfinished:
		| (Pick<OperationView, "id" | "state"> & {
				/** As it was typed; null for one of a newer raftctl. */
				readonly text: string | null;
		  })
		| null;
	/** What could not be compared, and why: of that nothing is known. */
	readonly unasked: readonly { readonly what: string; readonly why: string }[];
}

/**
 * What differs between the cluster file and what there is: members, roles and addresses as a quorum has them, what lies on
 * the hosts for the nodes to read, and the balancer's backends. Changes nothing. Throws OperatorError "unreachable" when
 * no quorum confirms who the members are.
 */
export async function diff(context: OperationContext): Promise<DiffReport> {
	const { inventory } = context;
	const { clusterId, leader, members } = await askCluster(context);
	const telling: Telling = {
		inventory,
		command: (words) => commandFor(context, words),
	};
	const parts = await Promise.all([
		...inventory.nodes
			.filter(({ id }) => members.some((member) => member.id === id))
			.map((node) => compareConfiguration(context, telling, node)),
		compareBackends(context, telling, members),
	]);
	const unfinished = await unfinishedNow(context);
	const first = unfinished && waysThrough(context, unfinished);
	const found = [
		...clusterIdDifference(telling, clusterId),
		...memberDifferences(telling, members),
		...parts.flatMap((part) => part.differences),
	];
	const differences =
		first === null ? found : found.map((one) => ({ ...one, next: first }));
	return {
		...{ cluster: inventory.name, clusterId, leader },
		unfinished: first && unfinished && namesOf(unfinished),
		drift: differences.length > 0,
		differences,
		unasked: parts.flatMap(({ unasked }) => unasked),
	};
}

function namesOf({ id, state, record }: OperationView) {
	return { id, state, text: record?.text ?? null };
}

type Part = Pick<DiffReport, "differences" | "unasked">;

async function compareConfiguration(
	context: OperationContext,
	telling: Telling,
	node: NodeEntry,
): Promise<Part> {
	const { inventory, machines, signal } = context;
	try {
		const host = await machines.host(node.host);
		const present = await host.read(nodeConfigPath(inventory, node));
		const release = await runRelease(context, node);
		const wanted = Buffer.from(
			await renderNodeConfig(inventory, node, { release }),
		);
		const found = await configDifferences(present, wanted);
		const differences = configurationDifferences(telling, node.id, found);
		return { differences, unasked: [] };
	} catch (error) {
		signal.throwIfAborted();
		const what = `node.yaml of ${node.id}`;
		return { differences: [], unasked: [{ what, why: reasonOf(error) }] };
	}
}

async function compareBackends(
	{ balancer, signal }: OperationContext,
	telling: Telling,
	members: readonly MemberStatus[],
): Promise<Part> {
	if (balancer === null) return { differences: [], unasked: [] };
	try {
		const backends = await lookAtBalancer(balancer, signal);
		const differences = backendDifferences(telling, members, backends);
		return { differences, unasked: [] };
	} catch (error) {
		signal.throwIfAborted();
		const unasked = [{ what: "the balancer", why: reasonOf(error) }];
		return { differences: [], unasked };
	}
}
