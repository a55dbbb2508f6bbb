import type { MemberStatus, NodeStatus } from "../../cluster/engine.js";
import { statusOf } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import type { Service } from "../../hosts/host.js";
import {
	callOptions,
	lookAtCluster,
	type OperationContext,
	refOf,
} from "../context.js";
import type { OperationLock } from "../lock.js";
import {
	candidateFault,
	refusedCandidate,
	strangerFault,
} from "../membership/candidate.js";
import { memberOf } from "../membership/members.js";
import { writeNodeConfig } from "../node-service.js";
import { isSilence, waitUntil } from "../wait.js";
import { requireRunning } from "./running.js";
import type { Step } from "./step.js";

interface JoinStep {
	readonly node: NodeEntry;
	/** Null where its process cannot be started from here: it must run already. */
	readonly service: Service | null;
	/** True once it is the member that it is to be. */
	readonly isJoined: (members: readonly MemberStatus[]) => boolean;
}

/**
 * Starts a node that is to be added: it waits, with the addresses of all members, until the log says that it is one. What
 * answers there is looked at before anybody counts on it. A member already that is down, as after a crash between two
 * attempts, is started, too: the steps that follow wait for it, and none of them would start it.
 */
export function joinNodeStep(
	context: OperationContext,
	lock: OperationLock,
	{ node, service, isJoined }: JoinStep,
): Step {
	let started = false;
	return {
		id: `${node.id}/start`,
		title: "start it, to wait until it is added",
		node: node.id,
		cost: "",
		async isDone() {
			const facts = await lookAtCluster(context, lock.signal);
			const leader = confirmedLeader(facts);
			if (leader !== null && isJoined(leader.members)) {
				const isUp =
					statusOf(facts, node.id) !== null ||
					(await service?.state())?.running === true;
				return isUp ? "it is a member already" : null;
			}
			const status = await answerOf(context, node, lock.signal);
			return status !== null && faultOf(context, node, status) === null
				? "it runs and waits to be added"
				: null;
		},
		async run(signal, progress) {
			const members = await membersNow(context, signal);
			const isMember = isJoined(members);
			if (!isMember) await requireCandidate(context, node, lock.signal);
			if (service !== null) {
				await lock.requireFresh();
				// A member, too, has to join: with its disk lost it must not found a cluster of its own (P31).
				await writeNodeConfig(context, node, { join: members });
				started = !(await service.state()).running;
				await service.start(signal);
			}
			await awaitAnswer(context, { node, service }, { signal, progress });
			if (isMember) return "it is a member already, and runs again";
			await requireCandidate(context, node, lock.signal);
			return "it waits to be added";
		},
		async undo() {
			if (!started || service === null) return;
			// Only what is no member may be stopped: the change may have come about.
			if (await isMember(context, lock, node)) return;
			await service.stop(context.inventory.roll.stopTimeoutMs);
		},
	};
}

/** Until the node itself answers. Throws when its process ends, or after the cluster file's startTimeout. */
export async function awaitAnswer(
	context: OperationContext,
	{ node, service }: Pick<JoinStep, "node" | "service">,
	how: {
		readonly signal: AbortSignal;
		readonly progress: (note: string) => void;
	},
): Promise<void> {
	const { engine, inventory } = context;
	await waitUntil(context, {
		name: `${node.id} to answer`,
		node: node.id,
		timeoutMs: inventory.roll.startTimeoutMs,
		...how,
		probe: async () => {
			if (service !== null)
				await requireRunning({ service, name: node.id, node: node.id });
			const status = await engine.status(refOf(node), callOptions(how.signal));
			return strangerFault(status, { clusterId: inventory.id, node });
		},
	});
}

/** Throws OperatorError "refused" when something answers there that must not be added. */
export async function requireCandidate(
	context: OperationContext,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<NodeStatus | null> {
	const status = await answerOf(context, node, signal);
	const fault = status === null ? null : faultOf(context, node, status);
	if (fault !== null)
		throw refusedCandidate(node, fault, "the membership was not changed");
	return status;
}

function faultOf(
	{ inventory }: OperationContext,
	node: NodeEntry,
	status: NodeStatus,
): string | null {
	return candidateFault(status, { clusterId: inventory.id, node });
}

/** What answers at its address, whoever that is; null when nothing does. */
async function answerOf(
	{ engine }: OperationContext,
	node: NodeEntry,
	signal: AbortSignal,
): Promise<NodeStatus | null> {
	try {
		return await engine.status(refOf(node), callOptions(signal));
	} catch (error) {
		if (isSilence(error)) return null;
		throw error;
	}
}

async function isMember(
	context: OperationContext,
	{ signal }: OperationLock,
	{ id }: NodeEntry,
): Promise<boolean> {
	const facts = await lookAtCluster(context, signal);
	const leader = confirmedLeader(facts);
	// By anybody's word: where no leader can say, what may be a member is not touched.
	const words =
		leader === null ? facts.nodes.map((one) => one.status) : [leader];
	return words.some(
		(status) => status !== null && memberOf(status.members, id) !== null,
	);
}

async function membersNow(
	context: OperationContext,
	signal: AbortSignal,
): Promise<readonly MemberStatus[]> {
	let members: readonly MemberStatus[] = [];
	await waitUntil(context, {
		name: "a leader that names the members",
		...{ node: null, timeoutMs: membersTimeoutMs, signal },
		probe: async () => {
			const leader = confirmedLeader(await lookAtCluster(context, signal));
			if (leader === null) return "no leader that a quorum confirms";
			members = leader.members;
			return null;
		},
	});
	return members;
}

const membersTimeoutMs = 8_000;
