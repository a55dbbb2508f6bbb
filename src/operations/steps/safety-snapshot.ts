import type { ClusterFacts } from "../../cluster/facts.js";
import { confirmedLeader, judgeQuorum, lagOf } from "../../cluster/health.js";
import { OperatorError, reasonOf } from "../../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
	refOf,
} from "../context.js";
import type { OperationLock } from "../lock.js";
import type { Step } from "./step.js";

export interface SafetySnapshot {
	readonly node: string;
	readonly index: number;
}

interface SafetySnapshotStep {
	/** Not on these: they are about to go. */
	readonly without: readonly string[];
	/** Why there is nothing left to be safe from; null while the risky step is to come. */
	readonly isPast: () => Promise<string | null>;
	readonly taken: (snapshot: SafetySnapshot) => void;
}

/** Writing all of a large state takes as long as its disk does. */
const snapshotTimeoutMs = 600_000;

/**
 * Before a step that cannot be taken back: a snapshot on a follower that has caught up, so that the state of this moment
 * lies on a disk that stays. The leader takes it only where nobody else can. `--skip=snapshot` leaves it out.
 */
export function safetySnapshotStep(
	context: OperationContext,
	{ signal: lockSignal }: OperationLock,
	{ without, isPast, taken }: SafetySnapshotStep,
): Step {
	return {
		id: "cluster/snapshot",
		title: "take a snapshot first",
		node: null,
		cost: "one node writes its state",
		looks: true,
		isDone: isPast,
		async run(signal, progress) {
			const facts = await lookAtCluster(context, lockSignal);
			const node = snapshotNode(context, facts, without);
			const entry = context.inventory.nodes.find(({ id }) => id === node);
			if (entry === undefined) throw refusal(context, "no node can take one");
			progress(`${entry.id} writes it`);
			try {
				const { index } = await context.engine.takeSnapshot(refOf(entry), {
					...{ timeoutMs: snapshotTimeoutMs, signal },
				});
				taken({ node: entry.id, index });
				return `index ${index} on ${entry.id}`;
			} catch (error) {
				signal.throwIfAborted();
				throw refusal(context, reasonOf(error), error);
			}
		},
	};
}

/** The follower that has least to apply; the leader last. Null when nobody is sound. Pure but for the limits. */
export function snapshotNode(
	context: OperationContext,
	facts: ClusterFacts,
	without: readonly string[],
): string | null {
	const leader = confirmedLeader(facts)?.nodeId ?? null;
	const { sound } = judgeQuorum(facts, healthLimits(context));
	const able = sound.filter((id) => !without.includes(id));
	const rank = (id: string) =>
		id === leader
			? Number.POSITIVE_INFINITY
			: (lagOf(facts, id) ?? Number.MAX_SAFE_INTEGER);
	const [best] = [...able].sort((a, b) => rank(a) - rank(b));
	return best ?? null;
}

function refusal(
	context: OperationContext,
	reason: string,
	cause?: unknown,
): OperatorError {
	return new OperatorError(
		"refused",
		`no snapshot could be taken before the step: ${reason}`,
		{
			state: "nothing was changed",
			next: `${commandFor(context, "status")}; --skip=snapshot goes without one`,
			...(cause === undefined ? {} : { cause }),
		},
	);
}
