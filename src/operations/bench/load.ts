import type { LatencyCounts } from "./latency-histogram.js";

/** What is loaded, and how it is reached; goes to the threads as it is. */
export type TargetWish = RaftdWish | EtcdWish;

export interface RaftdWish {
	readonly system: "raftd";
	/** host:port of nodes' client ports, or of a balancer. */
	readonly endpoints: readonly string[];
	/** PEM texts; null for plain text. */
	readonly tls: {
		readonly ca?: string;
		readonly cert?: string;
		readonly key?: string;
	} | null;
	/** Over all endpoints, rather than to the one that leads. */
	readonly spread: boolean;
	readonly consistency: "linearizable" | "lease" | "stale";
}

export interface EtcdWish {
	readonly system: "etcd";
	readonly endpoints: readonly string[];
}

/** Of all threads together. */
export interface RequestWish {
	/** Keys are this and a number: what is below it belongs to the bench alone. */
	readonly prefix: string;
	readonly keys: number;
	/** Of each value. */
	readonly bytes: number;
	/** The share of reads, 0 to 1. */
	readonly reads: number;
	readonly timeoutMs: number;
	/** Streams, spread over the threads; each has one at least. */
	readonly connections: number;
}

export type Loop =
	/** Each client sends when it was answered. */
	| { readonly mode: "closed"; readonly clients: number }
	/** So many are sent a second, whatever becomes of them. */
	| { readonly mode: "open"; readonly perSecond: number };

/** What one thread has to know. */
export interface ThreadWish {
	readonly target: TargetWish;
	readonly requests: RequestWish;
	readonly index: number;
	readonly of: number;
}

export type LoadOrder =
	/** Is there a system that answers a read? */
	| "look"
	/** Is there a system that takes a write? */
	| "check"
	/** Write every key once, so that reads find something. */
	| "fill"
	| { readonly begin: Loop }
	/** What was begun before counts no more. */
	| "mark"
	/** What was answered since `mark` or the last `take`. */
	| "take"
	/** Begin nothing more, and wait for the answers to come. */
	| "stop"
	/** Remove every key below the prefix; answered with their number. */
	| "remove"
	| "close";

/** What came of the requests that were begun since `mark`. */
export interface Sample {
	/** Answered, those included that were begun before `mark`. */
	readonly answered: number;
	/** Open loop: from when it was due; closed loop: from when it was sent. */
	readonly writes: LatencyCounts;
	readonly reads: LatencyCounts;
	/** Open loop: from when it was sent. */
	readonly service: LatencyCounts;
	/** Open loop: how much later than due it was sent. */
	readonly late: LatencyCounts;
	/** By kind. */
	readonly errors: Readonly<Record<string, number>>;
	/** The share of the time in which the thread's event loop had something to do. */
	readonly busy: number;
}

/** What a thread could not do; `kind` is one of those that requests fail with. */
export interface LoadFailure {
	readonly kind: string;
	readonly message: string;
}
