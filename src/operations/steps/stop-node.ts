import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { Service } from "../../hosts/host.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import type { OperationLock } from "../lock.js";
import { memberOf } from "../membership/members.js";
import { waitUntil } from "../wait.js";
import type { DrainHold } from "./drain-hold.js";
import type { Step } from "./step.js";

interface StopStep {
	readonly node: NodeEntry;
	readonly service: Service;
	/** Its drain; held any longer, it would drain the next process, too. Null where there is none. */
	readonly hold: DrainHold | null;
}

/** Long enough for an election: only a leader can say that the node is no member. */
const leaderTimeoutMs = 8_000;

/** Stops a node that is no member any more. One that still is, by a confirmed leader's fresh word, is never stopped. */
export function stopNodeStep(
	context: OperationContext,
	lock: OperationLock,
	{ node, service, hold }: StopStep,
): Step {
	return {
		id: `${node.id}/stop`,
		title: "stop it",
		node: node.id,
		cost: "nobody counts on it any more",
		isDone: async () =>
			(await service.state()).running ? null : "it does not run",
		async guard() {
			if (!(await service.state()).running) return;
			await requireNoMember(context, node, lock.signal);
			// A host cannot check a fencing token.
			await lock.requireFresh();
		},
		async run(signal) {
			await hold?.abandon();
			await service.stop(context.inventory.roll.stopTimeoutMs, signal);
			return null;
		},
	};
}

/** Throws OperatorError "refused" unless a confirmed leader says that the node takes no part. */
export async function requireNoMember(
	context: OperationContext,
	{ id }: NodeEntry,
	signal: AbortSignal,
): Promise<void> {
	let isMember = false;
	await waitUntil(context, {
		name: `a leader's word that ${id} is no member`,
		...{ node: id, timeoutMs: leaderTimeoutMs, signal },
		probe: async () => {
			const leader = confirmedLeader(await lookAtCluster(context, signal));
			if (leader === null) return "no leader that a quorum confirms";
			isMember = memberOf(leader.members, id) !== null;
			return null;
		},
	});
	if (isMember)
		throw new OperatorError(
			"refused",
			`${id} is a member again: somebody else added it meanwhile`,
			{ node: id, state: `${id} was not stopped` },
		);
}
