import { confirmedLeader } from "../cluster/health.js";
import { OperatorError, reasonOf } from "../errors.js";
import { commandFor, lookAtCluster, type OperationContext } from "./context.js";
import { withLock } from "./lock.js";
import { type Program, programsOf } from "./program.js";
import { planOf, type Step } from "./steps/step.js";
import { runTogether } from "./steps/together.js";

interface DownReport {
	readonly operation: "down";
	readonly cluster: string;
	readonly stopped: readonly string[];
	readonly notRunning: readonly string[];
	readonly durationMs: number;
}

/**
 * Stops the whole cluster: an outage, by wish. Followers first and the leader last, so that no election is held on the
 * way; the balancer goes when there is nothing left behind it. Throws OperatorError "locked" while another operation is
 * under way.
 */
export async function down(
	context: OperationContext,
	{ lockWaitMs }: { readonly lockWaitMs: number },
): Promise<DownReport> {
	const { clock, emit, inventory, signal } = context;
	const startedAt = clock.now();
	const facts = await lookAtCluster(context, signal);
	const leader = confirmedLeader(facts)?.nodeId ?? null;
	// The lock cannot be held: it ends with the quorum that keeps it. Whoever comes after this finds no quorum to roll.
	if (leader !== null)
		await withLock(
			context,
			{ operation: "down", lockWaitMs },
			async () => undefined,
		);
	const programs = await programsOf(context);
	const stopped: string[] = [];
	const rounds = roundsOf(programs, leader).map((round) =>
		round.map((program) => stopStep(context, program, stopped)),
	);
	emit({ type: "plan", operation: "down", steps: planOf(rounds.flat()) });
	for (const round of rounds)
		requireStopped(context, await runTogether(context, round));
	const names = programs.map(({ name }) => name);
	return {
		operation: "down",
		cluster: inventory.name,
		stopped: names.filter((name) => stopped.includes(name)),
		notRunning: names.filter((name) => !stopped.includes(name)),
		durationMs: Math.round(clock.now() - startedAt),
	};
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
	stopped: string[],
): Step {
	return {
		id: `${name}/stop`,
		title: node === null ? `stop the ${name}` : "stop",
		node,
		cost: "",
		isDone: async () =>
			(await service.state()).running ? null : "not running",
		async run(signal) {
			await service.stop(inventory.roll.stopTimeoutMs, signal);
			stopped.push(name);
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
