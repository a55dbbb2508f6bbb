import { OperatorError, reasonOf } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { hasLeader } from "../has-leader.js";
import { throwIfEnded } from "../interruption.js";
import { onHosts } from "../journal/host-journal.js";
import { withLock } from "../lock.js";
import { type Confirm, type PlanReport, planReport } from "../plan.js";
import { runSteps, type Step } from "../steps/step.js";
import { awaitTurnToStop } from "../turn-to-stop.js";
import { type Remains, remainsOn } from "./host.js";
import { hostSteps, stopSteps } from "./steps.js";

/** What `raftctl destroy --json` prints. */
export interface DestroyReport {
	readonly operation: "destroy";
	readonly cluster: string;
	/** Hosts on which nothing is left but what `stays` says. */
	readonly emptied: readonly string[];
	/** What could not be removed, and why; give the command again once that is mended. */
	readonly left: readonly { readonly host: string; readonly why: string }[];
	/** What is left alone on purpose, in sentences. */
	readonly stays: readonly string[];
	readonly durationMs: number;
}

interface DestroyOptions {
	readonly lockWaitMs: number;
	readonly confirm?: Confirm;
}

/** What there is on the hosts that answer, and why the others do not. */
interface Look {
	readonly there: ReadonlyMap<string, Remains>;
	readonly dead: ReadonlyMap<string, unknown>;
}

/**
 * Stops every node and removes what `deploy` and the nodes put onto the hosts, their data first of all. There is no way
 * back. A host that does not answer keeps what it has, and that is said; given again, it does what is left.
 */
export async function destroy(
	context: OperationContext,
	{ lockWaitMs, confirm }: DestroyOptions,
): Promise<DestroyReport> {
	const { clock, emit, inventory, signal } = context;
	const startedAt = clock.now();
	const look = await lookAtRemains(context);
	const own = reached(context, look);
	await awaitTurnToStop(context, { lockWaitMs, own });
	const stops = await stopSteps(own);
	const chains = chainsOf(context, look);
	const { plan } = await planReport(context, "destroy", [
		...stops,
		...[...chains.values()].flat(),
	]);
	emit({ type: "plan", operation: "destroy", steps: plan });
	for (const [host, error] of look.dead)
		emit({
			...{ type: "warning", node: null },
			message: `${host} keeps what it has: ${reasonOf(error)}`,
		});
	await confirm?.();
	const left = new Map(
		[...look.dead].map(([host, error]) => [host, reasonOf(error)]),
	);
	if (plan.length > 0)
		await inTurn(context, look, lockWaitMs, async () => {
			// Meanwhile somebody may have made another cluster of what lies there.
			await lookAtRemains(context);
			const kept = await together(
				context,
				new Map(stops.map((step) => [step.id, [step]])),
			);
			const [first] = kept.values();
			if (first !== undefined) throw first;
		});
	const now = await lookAtRemains(
		context,
		"the nodes of this cluster are stopped; nothing was removed",
	);
	for (const [host, error] of now.dead) left.set(host, reasonOf(error));
	const known = new Map([...chains].filter(([host]) => now.there.has(host)));
	for (const [host, error] of await together(context, known))
		left.set(host, reasonOf(error));
	throwIfEnded(signal);
	return {
		operation: "destroy",
		cluster: inventory.name,
		emptied: [...chains.keys()].filter((host) => !left.has(host)),
		left: [...left].map(([host, why]) => ({ host, why })),
		stays: staysOf(context, look),
		durationMs: Math.round(clock.now() - startedAt),
	};
}

/** What `destroy` would do now, or the refusal it would end with. Touches nothing. */
export async function planDestroy(
	context: OperationContext,
): Promise<PlanReport> {
	const look = await lookAtRemains(context);
	const own = reached(context, look);
	await awaitTurnToStop(context, { lockWaitMs: 0, own });
	return planReport(context, "destroy", [
		...(await stopSteps(own)),
		...[...chainsOf(context, look).values()].flat(),
	]);
}

/** Throws OperatorError "refused", with `state`, where nodes of another cluster lie. */
async function lookAtRemains(
	context: OperationContext,
	state = "nothing was touched",
): Promise<Look> {
	const names = [...new Set(context.inventory.nodes.map(({ host }) => host))];
	const looks = await Promise.allSettled(
		names.map((name) => remainsOn(context, name)),
	);
	throwIfEnded(context.signal);
	const there = new Map<string, Remains>();
	const dead = new Map<string, unknown>();
	for (const [at, name] of names.entries()) {
		const look = looks[at];
		if (look?.status === "fulfilled") there.set(name, look.value);
		else dead.set(name, look?.reason);
	}
	const foreign = [...there].flatMap(([host, { foreign }]) =>
		foreign === null ? [] : [`${host}: ${foreign}`],
	);
	if (foreign.length === 0) return { there, dead };
	throw new OperatorError(
		"refused",
		"nodes of another cluster lie where those of this one would",
		{
			problems: foreign,
			state,
			next: `look at id in the cluster file, ${context.inventory.id}; that cluster has another file`,
		},
	);
}

/** The cluster as far as its hosts answer and were ever deployed to. */
function reached(context: OperationContext, { there }: Look): OperationContext {
	const { inventory } = context;
	const nodes = inventory.nodes.filter(
		({ host }) => there.get(host)?.hasAccount === true,
	);
	return { ...context, inventory: { ...inventory, nodes } };
}

function chainsOf(
	context: OperationContext,
	{ there }: Look,
): ReadonlyMap<string, readonly Step[]> {
	return new Map(
		[...there].map(([host, remains]) => [
			host,
			hostSteps(context, host, remains),
		]),
	);
}

/** While nobody else operates: a quorum, where there is one, says so; its lock ends with it. */
async function inTurn(
	context: OperationContext,
	look: Look,
	lockWaitMs: number,
	stop: () => Promise<void>,
): Promise<void> {
	const own = reached(context, look);
	await onHosts.awaitTurn(own, lockWaitMs);
	if (!(await hasLeader(context))) return stop();
	const lock = {
		operation: "destroy",
		ttlMs: 6_000,
		endsCluster: true,
	} as const;
	return withLock(context, { ...lock, lockWaitMs }, stop);
}

/** All at once, each as far as it gets; what failed, by name. */
async function together(
	context: OperationContext,
	chains: ReadonlyMap<string, readonly Step[]>,
): Promise<ReadonlyMap<string, unknown>> {
	const names = [...chains.keys()];
	const outcomes = await Promise.allSettled(
		[...chains.values()].map((steps) =>
			runSteps(context, steps, context.signal),
		),
	);
	throwIfEnded(context.signal);
	return new Map(
		outcomes.flatMap((one, at): [string, unknown][] =>
			one.status === "rejected" ? [[names[at] ?? "", one.reason]] : [],
		),
	);
}

function staysOf(
	{ inventory }: OperationContext,
	{ there }: Look,
): readonly string[] {
	const { deploy, balancer, tls } = inventory;
	const remote = [...there.keys()].filter((host) => host !== "local");
	const front = balancer?.kind === "haproxy" || balancer?.kind === "nginx";
	return [
		...(remote.length > 0
			? [`the account ${deploy.user} and the group raftd on the hosts`]
			: []),
		...(front ? [`${balancer.config} on ${balancer.hosts.join(", ")}`] : []),
		...(tls === null ? [] : [`the certificates in ${tls.directory}`]),
		inventory.source === "-" ? "the cluster file" : inventory.source,
	];
}
