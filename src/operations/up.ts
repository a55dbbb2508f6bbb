import { judgeQuorum } from "../cluster/health.js";
import type { NodeEntry } from "../config/inventory.js";
import { OperatorError, reasonOf, remediesOf } from "../errors.js";
import {
	commandFor,
	healthLimits,
	lookAtCluster,
	type OperationContext,
} from "./context.js";
import { markUp } from "./founded-mark.js";
import {
	type Founding,
	judgeFounding,
	judgeUndecided,
	someoneKnowsMembers,
} from "./founding.js";
import { onHosts } from "./journal/host-journal.js";
import { requireTurn } from "./journal/unfinished.js";
import { unfinishedNow } from "./operations.js";
import { type PlanReport, planReport } from "./plan.js";
import { nodeConfiguration, type Program, programsOf } from "./program.js";
import { awaitClusterStep } from "./steps/await-cluster.js";
import { renewBackendsStep } from "./steps/renew-backends.js";
import { startProgram } from "./steps/start-program.js";
import { planOf, runSteps, type Step } from "./steps/step.js";
import { runChains } from "./steps/together.js";
import { warnOfDrains, warnOfStrangers } from "./up-warnings.js";
import { waitUntil } from "./wait.js";

interface UpReport {
	readonly operation: "up";
	readonly cluster: string;
	readonly started: readonly string[];
	readonly alreadyRunning: readonly string[];
	/** Nodes that are up but take no connections, by somebody's wish. */
	readonly drained: readonly string[];
	/** Nodes of the file that are no members of the cluster. */
	readonly notMembers: readonly string[];
	readonly leader: string | null;
	readonly durationMs: number;
}

interface UpOptions {
	/** How long to wait for a restore or a recovery, whose lock is on the hosts. */
	readonly lockWaitMs?: number;
}

/**
 * Starts what does not run and waits until every member is ready. All start at once: one by one the nodes could never form
 * a quorum. It takes no lock, for there may be no quorum to keep one, and it stops nothing.
 */
export async function up(
	context: OperationContext,
	{ lockWaitMs = 0 }: UpOptions = {},
): Promise<UpReport> {
	const { clock, emit, inventory, signal } = context;
	const startedAt = clock.now();
	// Half a restore may have left directories empty: a node that is started on one would found an empty cluster (P31).
	await requireTurn(context, onHosts, lockWaitMs);
	const founding = await judgeFounding(context);
	const programs = await programsOf(context);
	const started: string[] = [];
	const told = (name: string) => void started.push(name);
	const chosen = { context, programs, told };
	const { first, later, renewal, ready } = await upSteps(chosen, founding);
	const chains = [...first, ...later].flat();
	const steps = planOf([...chains, ...renewal, ready]);
	emit({ type: "plan", operation: "up", steps });
	requireStarted(context, first, await runChains(context, first));
	const decided = await decide(context, founding);
	const late = startSteps(chosen, decided.founders);
	if (founding.undecided.length > 0)
		requireStarted(context, late, await runChains(context, late));
	await runSteps(context, [...renewal, awaitStep(chosen, decided)], signal);
	await markUp(context, decided.starts);
	const facts = await lookAtCluster(context, signal);
	const unfinished = await unfinishedNow(context);
	const names = programs
		.filter(({ node }) => node === null || isAmong(decided.starts, node))
		.map(({ name }) => name);
	return {
		operation: "up",
		cluster: inventory.name,
		started: names.filter((name) => started.includes(name)),
		alreadyRunning: names.filter((name) => !started.includes(name)),
		drained: warnOfDrains(context, facts),
		notMembers: warnOfStrangers(context, facts, unfinished),
		leader: judgeQuorum(facts, healthLimits(context)).leader,
		durationMs: Math.round(clock.now() - startedAt),
	};
}

/** What `up` would start now. Touches nothing. */
export async function planUp(context: OperationContext): Promise<PlanReport> {
	await requireTurn(context, onHosts);
	const founding = await judgeFounding(context);
	const programs = await programsOf(context);
	const chosen = { context, programs, told: () => {} };
	const { first, later, renewal, ready } = await upSteps(chosen, founding);
	const chains = [...first, ...later].flat();
	return planReport(context, "up", [...chains, ...renewal, ready]);
}

interface Chosen {
	readonly context: OperationContext;
	readonly programs: readonly Program[];
	readonly told: (name: string) => void;
}

async function upSteps(chosen: Chosen, founding: Founding) {
	const { starts, founders, undecided } = founding;
	const { context } = chosen;
	const balancers = chosen.programs.filter(({ node }) => node === null);
	const states = await Promise.all(
		balancers.map(({ service }) => service.state()),
	);
	return {
		first: [
			...startSteps(chosen, starts, founders),
			...balancers.map((program) => startProgram(chosen, program)),
		],
		later: startSteps(chosen, undecided).map((chain) =>
			chain.map((step) => ({
				...step,
				title: `${step.title}, if the others know it as a founder`,
			})),
		),
		// One that is started now reads them by itself.
		renewal: states.some(({ running }) => running)
			? renewBackendsStep(context, context.inventory)
			: [],
		ready: awaitStep(chosen, founding),
	};
}

function startSteps(
	chosen: Chosen,
	nodes: readonly NodeEntry[],
	founders = nodes,
): readonly (readonly Step[])[] {
	return nodes.flatMap((node) =>
		chosen.programs
			.filter((program) => program.node === node.id)
			.map((program) =>
				startProgram(
					chosen,
					isAmong(founders, node.id)
						? founding(chosen, program, node)
						: program,
				),
			),
	);
}

function founding(
	{ context }: Chosen,
	program: Program,
	node: NodeEntry,
): Program {
	const configuration = nodeConfiguration(context, node, { founds: true });
	return { ...program, configuration };
}

function isAmong(nodes: readonly NodeEntry[], id: string): boolean {
	return nodes.some((node) => node.id === id);
}

/** Whoever is no member will not get ready, and is not waited for. */
function awaitStep(
	{ context, programs }: Chosen,
	{ strangers }: Founding,
): Step {
	const { inventory } = context;
	const isAwaited = (id: string) => !isAmong(strangers, id);
	const nodes = inventory.nodes.filter(({ id }) => isAwaited(id));
	return awaitClusterStep(
		{ ...context, inventory: { ...inventory, nodes } },
		programs.filter(({ node }) => node === null || isAwaited(node)),
	);
}

/** What the nodes that run now know of those that could not be judged before. */
async function decide(
	context: OperationContext,
	founding: Founding,
): Promise<Founding> {
	const { undecided } = founding;
	if (undecided.length === 0) return founding;
	const { inventory, signal } = context;
	await waitUntil(context, {
		name: "a node that knows the members",
		...{ node: null, signal },
		timeoutMs: inventory.roll.startTimeoutMs,
		probe: async () =>
			(await someoneKnowsMembers(context, signal))
				? null
				: "no node answers that knows them",
	});
	return judgeUndecided(context, undecided);
}

function requireStarted(
	context: OperationContext,
	chains: readonly (readonly Step[])[],
	failures: readonly unknown[],
): void {
	if (failures.length === 0) return;
	const allRefused = failures.every(
		(one) => one instanceof OperatorError && one.kind === "refused",
	);
	const ofAll = allRefused ? "refused" : "unreachable";
	throw new OperatorError(
		failures.length < chains.length ? "partial" : ofAll,
		`${failures.length} of ${chains.length} programs did not start: ${reasonOf(failures[0])}`,
		{
			problems: failures.map(reasonOf),
			state: "what did start runs on",
			next: [...remediesOf(failures), commandFor(context, "up")].join(
				", then ",
			),
			cause: failures[0],
		},
	);
}
