import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { applyBalancer } from "../balancer/apply.js";
import { requireCertificates } from "../certs/deliver.js";
import { commandFor, type OperationContext } from "../context.js";
import type { OperationEvent } from "../events.js";
import { onHosts } from "../journal/host-journal.js";
import { withHostLock } from "../journal/host-lock.js";
import { requireTurn } from "../journal/unfinished.js";
import { unknownNodes } from "../node-named.js";
import type { Confirm, PlanReport } from "../plan.js";
import { up } from "../up.js";
import { runChains } from "./chains.js";
import type { DeployReport } from "./report.js";
import {
	bootChains,
	isRendered,
	plannedSteps,
	prepareChains,
	setupChains,
} from "./steps.js";
import type { Found } from "./survey.js";
import { lookAtHosts, type Wanted } from "./wanted.js";

export interface DeployWish {
	/** An archive of this machine, or a version; null for what the other nodes have, or what comes with this raftctl. */
	readonly release: string | null;
	/** Ids of the nodes; empty for all. Where some are named they are set up, and nothing is started. */
	readonly nodes: readonly string[];
}

interface DeployOptions {
	readonly lockWaitMs: number;
	readonly confirm?: Confirm;
}

/**
 * Sets hosts up from bare machines and starts the cluster on them; given again, it does what is missing, and nothing where
 * nothing is. What runs is never restarted, nor given another release: what that takes is said.
 */
export async function deploy(
	context: OperationContext,
	wish: DeployWish,
	{ lockWaitMs, confirm }: DeployOptions,
): Promise<DeployReport> {
	const startedAt = context.clock.now();
	const nodes = await chosenNodes(context, wish);
	const wanted = await lookAtHosts(context, nodes, wish);
	await awaitTurn(context, wanted, lockWaitMs);
	const steps = await plannedSteps(context, wish, wanted);
	context.emit({ type: "plan", operation: "deploy", steps });
	if (steps.length > 0) await confirm?.();
	const done = new Set<string>();
	const watched = watching(context, done);
	const own = ownContext(watched, nodes);
	await runChains(watched, prepareChains(watched, wanted), {
		...{ signal: watched.signal, state: notStarted },
	});
	const carryOut = (signal: AbortSignal) =>
		carryOutOn({ ...watched, signal }, { nodes, wish, offer: wanted.offer });
	const outcome =
		steps.length === 0
			? await carryOut(watched.signal)
			: await withHostLock(own, { operation: "deploy", lockWaitMs }, (lock) =>
					carryOut(lock.signal),
				);
	const titles = new Map(steps.map(({ id, title }) => [id, title]));
	const { offer, found, restarts, otherRelease } = wanted;
	return {
		operation: "deploy",
		cluster: context.inventory.name,
		hosts: found.map((one) => ({
			host: one.host,
			did: [...done].flatMap((id) =>
				isOf(one, id) ? [titles.get(id) ?? id] : [],
			),
		})),
		release: offer?.manifest.version ?? null,
		...{ needRestart: restarts, needUpgrade: otherRelease },
		...outcome,
		durationMs: Math.round(context.clock.now() - startedAt),
	};
}

/** What `deploy` would do now, or the refusal it would end with. Touches nothing. */
export async function planDeploy(
	context: OperationContext,
	wish: DeployWish,
): Promise<PlanReport> {
	const nodes = await chosenNodes(context, wish);
	const wanted = await lookAtHosts(context, nodes, wish);
	await awaitTurn(context, wanted, 0);
	const plan = await plannedSteps(context, wish, wanted);
	const { name } = context.inventory;
	return { operation: "deploy", cluster: name, dryRun: true, plan };
}

const notStarted =
	"what was done on them stays; nothing was started or restarted";
const notAtBoot = "these nodes do not start with their hosts yet";

/** Under the lock, by what the hosts have now. */
async function carryOutOn(
	context: OperationContext,
	{
		nodes,
		wish,
		offer,
	}: {
		readonly nodes: readonly NodeEntry[];
		readonly wish: DeployWish;
		readonly offer: Wanted["offer"];
	},
): Promise<Pick<DeployReport, "started" | "alreadyRunning" | "leader">> {
	const { signal } = context;
	await requireTurn(ownContext(context, nodes), onHosts);
	const { release } = wish;
	const wanted = await lookAtHosts(context, nodes, { release, offer });
	const setUp = setupChains(context, wanted);
	await runChains(context, setUp, { signal, state: notStarted });
	if (wish.nodes.length > 0) {
		const boot = await bootChains(context, nodes);
		await runChains(context, boot, { signal, state: notAtBoot });
		return { started: [], alreadyRunning: [], leader: null };
	}
	// The plan has their steps already.
	const quiet = { ...context, emit: withoutPlans(context) };
	if (isRendered(context)) await applyBalancer(quiet);
	const { started, alreadyRunning, leader } = await up(quiet);
	const boot = await bootChains(context, nodes);
	await runChains(context, boot, { signal, state: notAtBoot });
	return { started, alreadyRunning, leader };
}

/** Those on other hosts. Throws OperatorError "usage" when there is none. */
async function chosenNodes(
	{ inventory }: OperationContext,
	wish: DeployWish,
): Promise<readonly NodeEntry[]> {
	const unknown = wish.nodes.filter(
		(id) => !inventory.nodes.some((node) => node.id === id),
	);
	if (unknown.length > 0) throw unknownNodes(inventory, unknown);
	const nodes = inventory.nodes.filter(
		({ id, host }) =>
			host !== "local" && (wish.nodes.length === 0 || wish.nodes.includes(id)),
	);
	if (nodes.length === 0)
		throw new OperatorError(
			"usage",
			"no node is on another host: nodes of this machine need no deploy",
			{
				state: "nothing was touched",
				next: `${commandFor({ inventory }, "up")} starts them; docs/hosts.md tells how hosts are named`,
			},
		);
	// Asked for before the first host is touched.
	if (inventory.tls !== null) await requireCertificates(inventory);
	return nodes;
}

/** Hosts that are left out may be bare: neither their lock nor their journal is asked for. */
function ownContext(
	context: OperationContext,
	nodes: readonly NodeEntry[],
): OperationContext {
	return { ...context, inventory: { ...context.inventory, nodes } };
}

/** Before anybody is asked, and before anything is prepared. Of those that are chosen bare ones have nothing to look at. */
async function awaitTurn(
	context: OperationContext,
	{ found }: Wanted,
	lockWaitMs: number,
): Promise<void> {
	const known = found.filter(
		({ survey }) => survey.accountGroup !== null && survey.state !== null,
	);
	if (known.length === 0) return;
	const nodes = known.flatMap((one) => one.nodes);
	const own = ownContext(context, nodes);
	await onHosts.awaitTurn(own, lockWaitMs);
	await requireTurn(own, onHosts);
}

/** Remembers which steps came to their end. */
function watching(
	context: OperationContext,
	done: Set<string>,
): OperationContext {
	return {
		...context,
		emit: (event) => {
			if (event.type === "step-finished") done.add(event.step);
			context.emit(event);
		},
	};
}

function withoutPlans({ emit }: OperationContext) {
	return (event: OperationEvent) => {
		if (event.type !== "plan") emit(event);
	};
}

function isOf({ host, nodes }: Found, step: string): boolean {
	const [owner] = step.split("/");
	return owner === host || nodes.some(({ id }) => id === owner);
}
