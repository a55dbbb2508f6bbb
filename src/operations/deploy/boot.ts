import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import { nodeConfigPath } from "../node-config.js";
import { writeNodeConfig } from "../node-service.js";
import type { Step } from "../steps/step.js";
import { waitUntil } from "../wait.js";
import { enableUnit } from "./host-steps.js";
import type { Found } from "./survey.js";

/**
 * Lets systemd start the node with its host, once that is safe. What founds a cluster where it finds an empty directory must
 * never be started by a machine: a disk that is not mounted looks just so (P31). So a member is told first that it joins;
 * with its data lost it then waits, and `up` says what is to be done.
 */
export function bootStep(
	context: OperationContext,
	{ survey, files }: Found,
	node: NodeEntry,
): Step {
	const isEnabled = survey.nodes.get(node.id)?.startsAtBoot === true;
	const own = files.get(node.id);
	const isSafe = own?.joins === true;
	return {
		...{ id: `${node.id}/boot`, node: node.id, cost: "" },
		title: "let it start with its host",
		isDone: async () =>
			isEnabled && (isSafe || own?.hasConfig === false) ? "it does" : null,
		async run(signal) {
			if (!isSafe && !(await joinsFromNowOn(context, node, signal)))
				return "not yet: it is no member, and could found a cluster";
			if (!isEnabled) await enableUnit(context, node, signal);
			return null;
		},
	};
}

/** A node without a configuration does nothing at its start; what adds it to a cluster writes one that joins. */
async function joinsFromNowOn(
	context: OperationContext,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<boolean> {
	const { inventory, machines } = context;
	const host = await machines.host(node.host);
	const present = await host.read(nodeConfigPath(inventory, node));
	if (present === null) return true;
	if (!(await isMember(context, node, signal))) return false;
	await writeNodeConfig(context, node, { join: inventory.nodes });
	return true;
}

/** By a quorum's word, of one that the others have met: until then its data directory could be any. */
async function isMember(
	context: OperationContext,
	{ id }: NodeEntry,
	signal: AbortSignal,
): Promise<boolean> {
	let isIn = false;
	await waitUntil(context, {
		name: `the others to know ${id}`,
		...{ node: id, signal },
		timeoutMs: context.inventory.roll.startTimeoutMs,
		probe: async () => {
			const leader = confirmedLeader(await lookAtCluster(context, signal));
			if (leader === null) return "no leader that a quorum confirms";
			const member = leader.members.find((one) => one.id === id);
			isIn = member !== undefined;
			return member?.incarnation === "" ? "nobody has met it yet" : null;
		},
	});
	return isIn;
}
