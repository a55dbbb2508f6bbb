import { statusOf } from "../cluster/facts.js";
import { confirmedLeader } from "../cluster/health.js";
import { OperatorError, reasonOf } from "../errors.js";
import { commandFor, lookAtCluster, type OperationContext } from "./context.js";
import { hasLeader } from "./has-leader.js";
import { onHosts } from "./journal/host-journal.js";
import { withLock } from "./lock.js";
import { type Confirm, type PlanReport, planReport } from "./plan.js";
import { type Program, programsOf } from "./program.js";
import { planOf, type Step } from "./steps/step.js";
import { runTogether } from "./steps/together.js";
import { awaitTurnToStop } from "./turn-to-stop.js";
import { isSilence } from "./wait.js";

interface DownReport {
	readonly operation: "down";
	readonly cluster: string;
	readonly stopped: readonly string[];
	readonly notRunning: readonly string[];
	readonly durationMs: number;
}

export interface DownOptions {
	readonly lockWaitMs: number;
	readonly confirm?: Confirm;
}

/**
 * Stops the whole cluster: an outage, by wish. Followers first and the leader last, so that no election is held on the
 * way; the balancer goes when there is nothing left behind it. Throws OperatorError "locked" while another operation is
 * under way.
 */
export async function down(
	context: OperationContext,
	{ lockWaitMs, confirm }: DownOptions,
): Promise<DownReport> {
	const { clock, emit, inventory } = context;
	const startedAt = clock.now();
	await awaitTurnToStop(context, { lockWaitMs });
	const { rounds } = await stopRounds(context, () => undefined);
	emit({ type: "plan", operation: "down", steps: planOf(rounds.flat()) });
	await confirm?.();
	// A restore or a recovery may have started them a moment ago, and is waiting for them.
	await onHosts.awaitTurn(context, lockWaitMs);
	const stop = () => stopAll(context);
	// Who looked before the question knows nothing of who began to operate while it was read.
	const { names, stopped } = (await hasLeader(context))
		? await withLock(context, { ...lockWish, lockWaitMs }, stop)
		: await stop();
	return {
		operation: "down",
		cluster: inventory.name,
		stopped: names.filter((name) => stopped.includes(name)),
		notRunning: names.filter((name) => !stopped.includes(name)),
		durationMs: Math.round(clock.now() - startedAt),
	};
}

/**
 * Held until the quorum that keeps it is gone: whoever waits for the lock must not act on a cluster that is going. That it
 * is lost on the way is what was asked for; it is short, so that it stands in nobody's way after the next `up`.
 */
const lockWish = {
	operation: "down",
	ttlMs: 6_000,
	endsCluster: true,
} as const;

async function stopAll(context: OperationContext) {
	const stopped: string[] = [];
	// Afresh: whoever leads by now goes last.
	const { names, rounds } = await stopRounds(context, (name) =>
		stopped.push(name),
	);
	for (const round of rounds)
		requireStopped(context, await runTogether(context, round));
	return { names, stopped };
}

/** What `down` would stop now, or the refusal it would end with. Touches nothing. */
export async function planDown(context: OperationContext): Promise<PlanReport> {
	await awaitTurnToStop(context, { lockWaitMs: 0 });
	const { rounds } = await stopRounds(context, () => undefined);
	return planReport(context, "down", rounds.flat());
}

interface StopRounds {
	readonly names: readonly string[];
	/** One after the other; the steps of each at once. */
	readonly rounds: readonly (readonly Step[])[];
}

async function stopRounds(
	context: OperationContext,
	stopped: (name: string) => void,
): Promise<StopRounds> {
	const facts = await lookAtCluster(context, context.signal);
	const leader = confirmedLeader(facts)?.nodeId ?? null;
	const programs = await programsOf(context);
	const costOf = async (program: Program) => {
		const { node } = program;
		const status = node === null ? null : statusOf(facts, node);
		if (status !== null) return `${status.connections.total} connections end`;
		const isUnknown = leader === null && node !== null;
		return isUnknown && (await runs(program)) ? lockUnknown : "";
	};
	const costs = new Map(
		await Promise.all(
			programs.map(async (one) => [one.name, await costOf(one)] as const),
		),
	);
	return {
		names: programs.map(({ name }) => name),
		rounds: roundsOf(programs, leader).map((round) =>
			round.map((program) => {
				const cost = costs.get(program.name) ?? "";
				return stopStep(context, program, { cost, stopped });
			}),
		),
	};
}

/** A broken cluster must be taken down, too: this is said, and stands in nobody's way. */
const lockUnknown =
	"it does not answer: whether somebody operates is not known";

/** False, too, where its host does not answer: that is told where it is stopped. */
async function runs({ service }: Program): Promise<boolean> {
	try {
		return (await service.state()).running;
	} catch (error) {
		if (isSilence(error)) return false;
		throw error;
	}
}

function roundsOf(
	programs: readonly Program[],
	leader: string | null,
): readonly (readonly Program[])[] {
	const nodes = programs.filter(({ node }) => node !== null);
	return [
		nodes.filter(({ node }) => node !== leader),
		nodes.filter(({ node }) => node === leader),
		programs.filter(({ node }) => node === null),
	];
}

function stopStep(
	{ inventory }: OperationContext,
	{ name, node, service }: Program,
	{
		cost,
		stopped,
	}: { readonly cost: string; readonly stopped: (name: string) => void },
): Step {
	return {
		id: `${name}/stop`,
		title: node === null ? `stop the ${name}` : "stop",
		node,
		cost,
		isDone: async () =>
			(await service.state()).running ? null : "not running",
		async run(signal) {
			await service.stop(inventory.roll.stopTimeoutMs, signal);
			stopped(name);
			return null;
		},
	};
}

function requireStopped(
	context: OperationContext,
	failures: readonly unknown[],
): void {
	if (failures.length === 0) return;
	throw new OperatorError(
		"timeout",
		`not everything stopped: ${reasonOf(failures[0])}`,
		{
			problems: failures.map(reasonOf),
			state: "some programs are stopped; no data is lost",
			next: commandFor(context, "down"),
			cause: failures[0],
		},
	);
}
