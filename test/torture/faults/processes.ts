import { adminCall } from "../admin.js";
import { electionTimeoutMs } from "../cluster.js";
import type { Fault } from "./battlefield.js";

/** SIGKILL, and a start some time later. */
export const kill: Fault = {
	name: "kill",
	strike: (field) =>
		field.withNode(field.anyNode, async (node) => {
			await node.kill();
			await field.pause(0, 3 * electionTimeoutMs);
			field.cluster.start(node);
			return true;
		}),
};

/** SIGSTOP for longer than an election takes: the node comes back believing that nothing has happened. */
export const stop: Fault = {
	name: "stop",
	strike: (field) =>
		field.withNode(field.anyNode, async (node) => {
			if (!node.running) return false;
			node.freeze();
			await field.pause(2 * electionTimeoutMs, 6 * electionTimeoutMs);
			node.thaw();
			return true;
		}),
};

/** Leadership handed over by the operator's command. */
export const transfer: Fault = {
	name: "transfer",
	async strike({ cluster }) {
		const leader = await cluster.leader();
		if (leader === null) return false;
		return adminCall(leader.place.admin, "TransferLeadership").then(
			() => true,
			() => false,
		);
	},
};
