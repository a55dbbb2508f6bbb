import type { Balancer } from "../balancers/balancer.js";
import type { CallOptions, Engine, NodeRef } from "../cluster/engine.js";
import { type ClusterFacts, gatherFacts } from "../cluster/facts.js";
import type { HealthLimits } from "../cluster/health.js";
import type { Inventory, NodeEntry } from "../config/inventory.js";
import type { Host, Service } from "../hosts/host.js";
import type { Clock } from "./clock.js";
import type { CostLedger } from "./cost/ledger.js";
import type { Emit } from "./events.js";
import type { Step } from "./steps/step.js";

/** All that an operation may touch, handed in: nothing in operations/ opens a connection or reads a clock by itself. */
export interface OperationContext {
	readonly inventory: Inventory;
	readonly engine: Engine;
	/** Null when the cluster file names none. */
	readonly balancer: Balancer | null;
	readonly machines: Machines;
	readonly programs: Programs;
	readonly clock: Clock;
	readonly emit: Emit;
	/** The user's first Ctrl-C, or the pipeline's SIGTERM: end in order. */
	readonly signal: AbortSignal;
	readonly holder: Holder;
	/** Of this raftctl, as the journal records it. */
	readonly release: string;
	/** Told of every step, where somebody keeps a journal or watches a budget. */
	readonly steps?: StepObserver;
	/** Told by the steps what they cost, where somebody adds it up. */
	readonly ledger?: CostLedger;
}

export interface StepObserver {
	/** Between two steps: throws when the operation must not go on. */
	boundary(next: Step): Promise<void>;
	began(step: Step): void;
	undone(step: Step): void;
}

export interface Machines {
	/**
	 * A host that answers. On another than this one things are done as the account that the daemon runs under, whose files
	 * they are, or as the one that logs in. Throws OperatorError "unreachable".
	 */
	host(name: string, as?: "daemon" | "login"): Promise<Host>;
	service(spec: ServiceSpec): Promise<Service>;
}

/** A program to keep running on a host. */
interface ServiceSpec {
	readonly host: string;
	/** Unique on its host, for example "n1". */
	readonly name: string;
	/** Asked for at each start: what a node starts with may be another by then. */
	readonly argv: () => Promise<readonly string[]>;
}

/** Absolute paths of what runs on the hosts: the Node.js binary and the two entry files. */
export interface Programs {
	readonly node: string;
	readonly raftd: string;
	readonly balancer: string;
}

/** Who operates, as the lock names them. */
export interface Holder {
	/** user@host:pid */
	readonly holder: string;
	readonly host: string;
}

/** One call to one node; a dead node costs this much, once, whatever is asked of how many. */
export const callTimeoutMs = 2_000;

/** Between two looks at something that is waited for. */
export const pollIntervalMs = 100;

/** Looked at by everything that decides; entries, not bytes. */
const lagEntries = 10_000;

export function callOptions(signal?: AbortSignal): CallOptions {
	return signal === undefined
		? { timeoutMs: callTimeoutMs }
		: { timeoutMs: callTimeoutMs, signal };
}

export function healthLimits({ inventory }: OperationContext): HealthLimits {
	return { heardWithinMs: inventory.timing.electionTimeoutMs, lagEntries };
}

/** What every node of the cluster file answers now. */
export function lookAtCluster(
	{ engine, inventory }: OperationContext,
	signal?: AbortSignal,
): Promise<ClusterFacts> {
	return gatherFacts(
		engine,
		{ clusterId: inventory.id, nodes: inventory.nodes },
		callOptions(signal),
	);
}

export function refOf({ id, admin }: NodeEntry): NodeRef {
	return { id, admin };
}

/** The command line that goes on from here, ready to be pasted. */
export function commandFor(
	{ inventory }: { readonly inventory: Inventory },
	words: string,
): string {
	return inventory.source === "-"
		? `raftctl ${words}`
		: `raftctl ${words} -c ${inventory.source}`;
}
