import { randomBytes } from "node:crypto";
import { gatherFacts } from "../../cluster/facts.js";
import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import type { OperationCost } from "../cost/cost.js";
import { LeaderlessMeter } from "../cost/leaderless-meter.js";
import { CostLedger } from "../cost/ledger.js";
import { clientTls } from "../credentials.js";
import type { Step } from "../steps/step.js";
import { breachText, judgeBudgets } from "./budgets.js";
import { httpCallers } from "./caller.js";
import { Canary } from "./canary.js";
import { canaryRequests, canaryScript } from "./requests.js";
import { Turns } from "./turns.js";
import type { CanaryUse } from "./wish.js";

interface WithCanary extends CanaryUse {
	/** Something was done already, by an earlier attempt. */
	readonly isResumed: boolean;
}

/** A node that does not answer is seen to by others; here it must not hold up every step. */
const lookTimeoutMs = 1_000;

/** Failed requests and lost writes that an error names. */
const namedFaults = 5;

/**
 * Runs `body` with a context that measures what it costs, and that ends it between two nodes when a budget is exceeded
 * or a write is lost: OperatorError "partial", or "refused" when nothing was touched yet. What it did cost is emitted
 * at the end, however that comes.
 */
export async function withCanary<Report extends object>(
	context: OperationContext,
	options: WithCanary,
	body: (context: OperationContext) => Promise<Report>,
): Promise<Report & { readonly cost: OperationCost }> {
	const canary = await startCanary(context, options);
	const watch = new Watch(context, options, canary);
	let completed = false;
	try {
		await watch.look();
		const report = await body(watch.context);
		completed = true;
		return Object.assign(report, { cost: await watch.end(true) });
	} finally {
		if (!completed) await watch.end(false);
	}
}

/** Throws OperatorError "config" when this cluster's canary would not know what to ask. */
export function requireCanary(
	{ inventory }: Pick<OperationContext, "inventory">,
	{ wish = null }: CanaryUse,
): void {
	if (wish !== null) canaryRequests(inventory);
}

async function startCanary(
	context: OperationContext,
	{ wish = null, openCaller }: CanaryUse,
): Promise<Canary | null> {
	if (wish === null) return null;
	const { balancer, nodes } = context.inventory;
	const requests = canaryRequests(context.inventory);
	return Canary.start(context, {
		script: canaryScript(requests, randomBytes(6).toString("hex")),
		addresses:
			balancer === null ? nodes.map(({ client }) => client) : [balancer.listen],
		openCaller: openCaller ?? httpCallers(clientTls(context.inventory)),
	});
}

class Watch {
	readonly context: OperationContext;
	readonly #outer: OperationContext;
	readonly #options: WithCanary;
	readonly #canary: Canary | null;
	readonly #meter = new LeaderlessMeter();
	readonly #ledger = new CostLedger();
	readonly #turns = new Turns();

	constructor(
		context: OperationContext,
		options: WithCanary,
		canary: Canary | null,
	) {
		this.#outer = context;
		this.#options = options;
		this.#canary = canary;
		this.context = {
			...context,
			ledger: this.#ledger,
			steps: {
				boundary: async (next) => {
					await context.steps?.boundary(next);
					await this.look();
					this.#requireWithinBudget(next);
				},
				began: (step) => {
					this.#turns.began(step);
					context.steps?.began(step);
				},
				undone: (step) => context.steps?.undone(step),
			},
		};
	}

	/** The nodes' own counts, of leaderless time and of connections: one that is about to be stopped takes its count with it. */
	async look(): Promise<void> {
		const { engine, inventory, signal } = this.#outer;
		const cluster = { clusterId: inventory.id, nodes: inventory.nodes };
		const limits = { timeoutMs: lookTimeoutMs, signal };
		const facts = await gatherFacts(engine, cluster, limits);
		this.#meter.observe(facts);
		for (const { id, status } of facts.nodes)
			if (status !== null && !status.drain.draining)
				this.#ledger.seen(id, status.connections.total);
	}

	async end(completed: boolean): Promise<OperationCost> {
		const endedAtMs = this.#outer.clock.now();
		await this.look().catch(() => undefined);
		await this.#canary?.end(completed);
		const cost = this.#cost(endedAtMs);
		this.#outer.emit({ type: "cost", cost });
		return cost;
	}

	#verdicts(): OperationCost["budgets"] {
		const budgets = this.#options.wish?.budgets;
		if (budgets === undefined || this.#canary === null) return [];
		const spent = this.#canary.tally.spent(
			this.#outer.clock.now(),
			this.#meter.leaderless().maxMs,
		);
		return judgeBudgets(budgets, spent);
	}

	#requireWithinBudget(next: Step): void {
		if (!this.#turns.mayEndBefore(next)) return;
		const breaches = this.#verdicts().filter(({ exceeded }) => exceeded);
		const lost = this.#canary?.tally.lostWrites ?? [];
		const [first, ...others] = [
			...lost.map((text) => `the cluster lost a write: ${text}`),
			...breaches.map(breachText),
		];
		if (first === undefined) return;
		const failures = this.#canary?.tally.failures ?? [];
		const touched = this.#options.isResumed || this.#turns.touched;
		throw new OperatorError(touched ? "partial" : "refused", first, {
			problems: [
				...others,
				...failures.map(({ at, kind, reason }) => `${at} ${kind}: ${reason}`),
			].slice(0, namedFaults),
			state: touched
				? `stopped before ${next.id}; what was begun before that is ended`
				: "nothing was touched",
			next: commandFor(this.#outer, touched ? "operation resume" : "status"),
		});
	}

	#cost(nowMs: number): OperationCost {
		const leaderless = this.#meter.leaderless();
		const tally = this.#canary?.tally ?? null;
		const budgets = this.#verdicts();
		return {
			requests: tally?.requests ?? null,
			failedRequests: tally?.failed ?? null,
			slowestWriteMs: tally === null ? null : Math.round(tally.slowestWriteMs),
			longestStallMs: tally === null ? null : Math.round(tally.stall(nowMs).ms),
			leaderlessMaxMs: Math.round(leaderless.maxMs),
			leaderlessTotalMs: Math.round(leaderless.totalMs),
			connectionsMoved: this.#ledger.connectionsMoved,
			downtime: this.#ledger.downtime(nowMs),
			canary:
				tally === null
					? null
					: {
							writes: tally.writes.ok + tally.writes.failed,
							reads: tally.reads.ok + tally.reads.failed,
							slow: tally.slow,
							moves: this.#canary?.moves ?? 0,
							lostWrites: tally.lostWrites,
							failures: tally.failures,
						},
			budgets,
			overBudget:
				budgets.some(({ exceeded }) => exceeded) ||
				(tally?.lostWrites.length ?? 0) > 0,
		};
	}
}
