import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import { nodeConfigPath } from "../node-config.js";
import { writeNodeConfig } from "../node-service.js";
import type { Step } from "../steps/step.js";
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
			if (!isSafe && !(await joinsFromNowOn(context, node)))
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
): Promise<boolean> {
	const { inventory, machines } = context;
	const host = await machines.host(node.host);
	const present = await host.read(nodeConfigPath(inventory, node));
	if (present === null) return true;
	const leader = confirmedLeader(await lookAtCluster(context, context.signal));
	const member = leader?.members.find(({ id }) => id === node.id);
	if (member === undefined || member.incarnation === "") return false;
	await writeNodeConfig(context, node, { join: inventory.nodes });
	return true;
}
