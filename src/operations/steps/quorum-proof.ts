import type { NodeStatus } from "../../cluster/engine.js";
import type { ClusterFacts } from "../../cluster/facts.js";
import {
	confirmedLeader,
	type StopVerdict,
	safeToStop,
} from "../../cluster/health.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import {
	callOptions,
	healthLimits,
	lookAtCluster,
	type OperationContext,
	refOf,
} from "../context.js";
import { isSilence, isTimeout, waitUntil } from "../wait.js";
import type { Step } from "./step.js";

/** Long enough for an election, or for a follower to catch up under load; short enough not to hang a pipeline. */
const proofTimeoutMs = 8_000;

interface Proof extends StopVerdict {
	readonly facts: ClusterFacts;
	readonly leader: string | null;
}

/**
 * Proof from fresh answers of every voter that stopping `node` keeps the quorum. The leader's own word comes last: a
 * quorum confirms it (ReadIndex) after all had answered, so all answers belong to a reign that was still in force.
 */
async function proveQuorum(
	context: OperationContext,
	node: string,
	signal: AbortSignal,
): Promise<Proof> {
	const facts = await lookAtCluster(context, signal);
	const verdict = safeToStop(facts, node, healthLimits(context));
	const leader = confirmedLeader(facts);
	const proof = { ...verdict, facts, leader: leader?.nodeId ?? null };
	if (leader === null || !verdict.safe) return proof;
	const entry = context.inventory.nodes.find(({ id }) => id === leader.nodeId);
	if (entry === undefined)
		return {
			...proof,
			safe: false,
			reason: `the leader ${leader.nodeId} is not in the cluster file`,
		};
	const moved = await moveSince(context, leader, entry, signal);
	return moved === null ? proof : { ...proof, safe: false, reason: moved };
}

/** Why the leader that was seen no longer leads for certain; null when a quorum confirms that it does. */
async function moveSince(
	context: OperationContext,
	leader: NodeStatus,
	entry: NodeEntry,
	signal: AbortSignal,
): Promise<string | null> {
	try {
		const now = await context.engine.readIndex(
			refOf(entry),
			callOptions(signal),
		);
		return now.leader === leader.nodeId && now.term === leader.term
			? null
			: `leadership moved from ${leader.nodeId} to ${now.leader} during the proof`;
	} catch (error) {
		if (isSilence(error))
			return `no quorum confirms ${leader.nodeId}: ${error.message}`;
		throw error;
	}
}

interface ProofStep {
	readonly node: string;
	/** Distinguishes the proof before the drain from the one before the stop. */
	readonly name: "prove" | "prove-again";
	readonly cost: string;
	/** With --skip=quorum a missing proof is said and overridden. */
	readonly skipped: boolean;
	/** Called with the proof that held. */
	readonly proven?: (proof: Proof) => void;
}

/** Refuses (OperatorError "refused") unless the quorum survives the stop; looks again for a while, as leaders change. */
export function proveQuorumStep(
	context: OperationContext,
	wish: ProofStep,
): Step {
	const { node, name, cost } = wish;
	return {
		id: `${node}/${name}`,
		looks: true,
		title:
			name === "prove"
				? "prove that the quorum survives without it"
				: "prove it again, right before the stop",
		node,
		cost,
		async run(signal, progress) {
			const proof = await holdProof(context, wish, signal, progress);
			wish.proven?.(proof);
			return proof.reason;
		},
	};
}

async function holdProof(
	context: OperationContext,
	{ node, skipped }: ProofStep,
	signal: AbortSignal,
	progress: (note: string) => void,
): Promise<Proof> {
	let latest: Proof | undefined;
	try {
		await waitUntil(context, {
			name: `a quorum that survives without ${node}`,
			node,
			timeoutMs: skipped ? 0 : proofTimeoutMs,
			signal,
			progress,
			probe: async () => {
				latest = await proveQuorum(context, node, signal);
				return latest.safe ? null : latest.reason;
			},
		});
	} catch (error) {
		if (!isTimeout(error)) throw error;
		if (!skipped || latest === undefined)
			throw new OperatorError(
				"refused",
				`stopping ${node} now would not leave a proven quorum: ${latest?.reason ?? error.message}`,
				{ node, cause: error },
			);
		context.emit({
			type: "warning",
			node,
			message: `quorum check skipped by name: ${latest.reason}`,
		});
	}
	if (latest !== undefined) return latest;
	throw new OperatorError("unexpected", `no proof for ${node}`, { node });
}
