import { type ClusterFacts, statusOf } from "../../cluster/facts.js";
import { confirmedLeader } from "../../cluster/health.js";
import { OperatorError, reasonOf, wayOnOf } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { callOptions, commandFor, lookAtCluster, refOf } from "../context.js";
import { throwIfEnded } from "../interruption.js";
import type {
	Operation,
	OperationOptions,
	OperationReport,
	Own,
	Run,
} from "../operation.js";
import type { PlanReport } from "../plan.js";
import { currentRelease } from "../releases/installed.js";
import { planOperation, runOperation } from "../run-operation.js";
import { safetySnapshotStep } from "../steps/safety-snapshot.js";
import type { Step } from "../steps/step.js";
import { isSilence, waitUntil } from "../wait.js";
import { writeLevelOf } from "./admission.js";
import { finalizeVerdict } from "./verdict.js";

const agreeTimeoutMs = 30_000;

export interface FinalizeWish {
	/** Without the snapshot that is taken first. */
	readonly skip: readonly "snapshot"[];
}

export interface FinalizeReport extends OperationReport {
	/** What the cluster writes from now on. */
	readonly level: number;
}

/**
 * The second phase of an upgrade: from now on the cluster writes what only the new release reads. Refused, with who is in
 * the way, until every member says, just now, that it reads it. There is no way back behind it.
 */
export async function finalizeUpgrade(
	context: OperationContext,
	wish: FinalizeWish,
	options: OperationOptions,
): Promise<FinalizeReport> {
	const make = () => finalizeOperation(wish);
	return runOperation(context, make, options);
}

export function planFinalize(
	context: OperationContext,
	wish: FinalizeWish,
): Promise<PlanReport> {
	return planOperation(context, finalizeOperation(wish));
}

/** Killed, it lapses: the level is in the log, or it is not. */
export function finalizeOperation(
	wish: FinalizeWish,
): Operation<Own<FinalizeReport>> {
	return {
		...{ name: "upgrade finalize", text: "upgrade finalize" },
		...{ arguments: wish, skip: wish.skip, lapses: true },
		async prepare(context) {
			await requireFinalizable(context, await lookAtCluster(context));
			return {};
		},
		async steps(run) {
			const facts = await lookAtCluster(run.context, run.lock.signal);
			const verdict = finalizeVerdict(facts, run.context.inventory.nodes);
			if (verdict.kind !== "possible") return [];
			return [
				...(wish.skip.includes("snapshot") ? [] : [snapshotStep(run)]),
				raiseStep(run, verdict.level),
				agreeStep(run, verdict.level),
			];
		},
		abortSteps: async () => [],
		failure: (run, cause) => finalizeFailure(run, cause),
		async report({ context, lock }) {
			const facts = await lookAtCluster(context, lock.signal);
			const level = writeLevelOf(facts);
			if (level === null)
				throw new OperatorError("timeout", "no leader that a quorum confirms");
			return { level };
		},
	};
}

/** Nobody knows from here whether the level is in the log: `upgrade status` asks. */
function finalizeFailure({ context }: Run, cause: unknown): OperatorError {
	const told = cause instanceof OperatorError ? cause : null;
	return new OperatorError(told?.kind ?? "unexpected", reasonOf(cause), {
		...(told?.node === undefined ? {} : { node: told.node }),
		problems: told?.problems ?? [],
		state: told?.state ?? "the new level may be in the log already",
		...(told?.next === undefined
			? { next: commandFor(context, "upgrade status") }
			: wayOnOf(told)),
		cause,
	});
}

/** It is the last one that an older release reads. */
function snapshotStep({ context, lock }: Run): Step {
	return safetySnapshotStep(context, lock, {
		...{ without: [], isPast: async () => null, taken: () => {} },
	});
}

/** Asked of every member afresh, right before the leader is told; the leader asks them once more. */
function raiseStep({ context, lock }: Run, level: number): Step {
	return {
		...{ id: "cluster/write-level", node: null },
		title: `let the cluster write level ${level}`,
		cost: "older releases cannot take part any more; there is no way back",
		// The level is in the log, or it is not.
		undo: async () => undefined,
		async run(signal) {
			await lock.requireFresh();
			const facts = await lookAtCluster(context, signal);
			await requireFinalizable(context, facts);
			const leader = confirmedLeader(facts);
			const node = context.inventory.nodes.find(
				({ id }) => id === leader?.nodeId,
			);
			if (node === undefined)
				throw new OperatorError("refused", "no leader that a quorum confirms");
			const { fencingToken } = lock;
			await context.engine.setWriteLevel(
				refOf(node),
				{ level, fencingToken },
				callOptions(signal),
			);
			return null;
		},
	};
}

function agreeStep({ context }: Run, level: number): Step {
	return {
		...{ id: "cluster/agree", node: null, cost: "", looks: true },
		title: "every member has heard of it",
		async run(signal, progress) {
			await waitUntil(context, {
				name: "every member to know the new level",
				...{ node: null, timeoutMs: agreeTimeoutMs, signal, progress },
				probe: async () => {
					const facts = await lookAtCluster(context, signal);
					const behind = facts.nodes
						.filter(({ status }) => status?.writeLevel?.level !== level)
						.map(({ id }) => id);
					throwIfEnded(signal);
					return behind.length === 0 ? null : `${behind.join(", ")} not yet`;
				},
			});
			return null;
		},
	};
}

async function requireFinalizable(
	context: OperationContext,
	facts: ClusterFacts,
): Promise<void> {
	const verdict = finalizeVerdict(facts, context.inventory.nodes);
	if (verdict.kind === "nothing") return;
	const reasons = [
		...(verdict.kind === "refused" ? verdict.reasons : []),
		...(await startFaults(context, facts)),
	];
	if (reasons.length === 0) return;
	throw new OperatorError(
		"refused",
		"the upgrade cannot be finalized yet: not every member reads what would be written",
		{
			problems: reasons,
			state: "the cluster writes what it wrote",
			next: commandFor(context, "upgrade status"),
		},
	);
}

/** What a node would be after its next start: behind phase two an older release does not start any more. */
async function startFaults(
	context: OperationContext,
	facts: ClusterFacts,
): Promise<readonly string[]> {
	const faults = await Promise.all(
		context.inventory.nodes.map(async (node) => {
			const runs = statusOf(facts, node.id)?.release;
			try {
				const next = await currentRelease(context, node);
				return next === null || runs === undefined || next.version === runs
					? []
					: [`${node.id} runs ${runs}, and starts with ${next.version} next`];
			} catch (error) {
				if (!isSilence(error)) throw error;
				return [`what ${node.id} starts with is not known: ${error.message}`];
			}
		}),
	);
	return faults.flat();
}
