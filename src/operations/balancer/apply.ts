import { OperatorError, reasonOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { type Confirm, type PlanReport, planReport } from "../plan.js";
import { planOf, runSteps, type Step } from "../steps/step.js";
import { waitUntil } from "../wait.js";
import { type RenderedBalancer, renderedBalancer } from "./rendered.js";

export interface ApplyReport {
	readonly operation: "balancer apply";
	readonly cluster: string;
	readonly kind: string;
	readonly path: string;
	/** Hosts whose file was written, and hosts that were reloaded. */
	readonly written: readonly string[];
	readonly reloaded: readonly string[];
	readonly durationMs: number;
}

/**
 * Writes the balancer's configuration onto its hosts, has each read it, and sees that it runs with it: one host after the
 * other, so that the next is not touched when one does not come back. It takes no lock: the nodes are not touched.
 */
export async function applyBalancer(
	context: OperationContext,
	{ confirm }: { readonly confirm?: Confirm } = {},
): Promise<ApplyReport> {
	const { clock, emit, inventory, signal } = context;
	const startedAt = clock.now();
	const rendered = renderedBalancer(inventory, (host) =>
		context.machines.host(host, "login"),
	);
	const tally = { written: new Set<string>(), reloaded: new Set<string>() };
	const steps = applySteps(context, rendered, tally);
	emit({ type: "plan", operation: "balancer apply", steps: planOf(steps) });
	await confirm?.();
	await runSteps(context, steps, signal);
	return {
		operation: "balancer apply",
		cluster: inventory.name,
		kind: rendered.entry.kind,
		path: rendered.front.path,
		written: [...tally.written],
		reloaded: [...tally.reloaded],
		durationMs: Math.round(clock.now() - startedAt),
	};
}

/** What `balancer apply` would do now. Touches nothing. */
export async function planApply(
	context: OperationContext,
): Promise<PlanReport> {
	const rendered = renderedBalancer(context.inventory, (host) =>
		context.machines.host(host, "login"),
	);
	const tally = { written: new Set<string>(), reloaded: new Set<string>() };
	return planReport(
		context,
		"balancer apply",
		applySteps(context, rendered, tally),
	);
}

interface Tally {
	readonly written: Set<string>;
	readonly reloaded: Set<string>;
}

function applySteps(
	context: OperationContext,
	rendered: RenderedBalancer,
	tally: Tally,
): readonly Step[] {
	return rendered.entry.hosts.map((host) =>
		applyStep(context, { rendered, host, tally }),
	);
}

interface HostWish {
	readonly rendered: RenderedBalancer;
	readonly host: string;
	readonly tally: Tally;
}

function applyStep(context: OperationContext, wish: HostWish): Step {
	const { inventory, machines } = context;
	const { rendered, host, tally } = wish;
	const { entry, front } = rendered;
	const where = host === "local" ? "this machine" : host;
	return {
		id: `${host}/apply`,
		title: `bring ${front.path} on ${where} up to date and reload ${entry.kind}`,
		node: null,
		cost: "",
		async isDone() {
			const { written } = await front.check(
				await machines.host(host, "login"),
				inventory,
			);
			const behind = await front.behind(host, inventory, context.signal);
			return written && behind === null ? "it is, and runs with it" : null;
		},
		async run(signal) {
			const change = await front.write(
				await machines.host(host, "login"),
				inventory,
				signal,
			);
			if (change !== null) tally.written.add(host);
			try {
				await front.reload(host, signal);
			} catch (error) {
				await change?.undo();
				throw notTaken(context, { host, front: rendered, error });
			}
			tally.reloaded.add(host);
			await awaitNodes(context, { rendered, host, signal });
			return change === null
				? "reloaded"
				: `written (the old one is ${front.path}.bak) and reloaded`;
		},
	};
}

const nodesLimitMs = 10_000;

function awaitNodes(
	context: OperationContext,
	wish: {
		readonly rendered: RenderedBalancer;
		readonly host: string;
		readonly signal: AbortSignal;
	},
): Promise<void> {
	const { host, rendered, signal } = wish;
	return waitUntil(context, {
		name: `${rendered.entry.kind} on ${host} to have the nodes`,
		...{ node: null, timeoutMs: nodesLimitMs, signal },
		probe: () => rendered.front.behind(host, context.inventory, signal),
	});
}

function notTaken(
	context: OperationContext,
	{
		host,
		front: { entry, front },
		error,
	}: {
		readonly host: string;
		readonly front: RenderedBalancer;
		readonly error: unknown;
	},
): unknown {
	context.signal.throwIfAborted();
	if (!(error instanceof OperatorError)) return error;
	return new OperatorError(error.kind, reasonOf(error), {
		node: host,
		state: `${front.path} is as it was; ${entry.kind} goes on with the old one`,
		next: error.next ?? commandFor(context, "balancer check"),
		cause: error,
	});
}
