import type { Ack, Consistency } from "../wire/client-frames.js";
import { parseEndpoints } from "./endpoints.js";
import type { Answer } from "./request.js";
import { Requester, type RequestLimits } from "./requester.js";
import {
	EventSubscription,
	type SubscribeOptions,
	type Subscription,
} from "./subscription.js";

export interface ConnectOptions extends Partial<RequestLimits> {
	/** host:port of a balancer, or of several nodes' client ports. */
	readonly endpoints: readonly string[];
}

export interface CommandOptions {
	/** none: accepted by a node; commit: in the log for good; apply, the default: executed, with its result. */
	readonly ack?: Ack;
	/** For everything, further attempts included. */
	readonly timeoutMs?: number;
}

export interface QueryOptions {
	/** linearizable, the default: sees everything that was answered before; stale: what the node has applied. */
	readonly consistency?: Consistency;
	/** Wait until this raft index is applied; the index of one's own last command, for example. */
	readonly minIndex?: number;
	readonly timeoutMs?: number;
}

export interface RaftClient {
	/**
	 * Executes a command of the machine, given in its bytes, which must not change until the end. Rejects with
	 * NotDoneError (certainly not executed) or OutcomeUnknownError (may have been, or may yet be).
	 */
	command(command: Uint8Array, options?: CommandOptions): Promise<Answer>;
	/** Asks the machine. Rejects with NotDoneError: asking changes nothing. */
	query(query: Uint8Array, options?: QueryOptions): Promise<Answer>;
	/** Follows the machine's events from an index on, over as many connections as it takes: no gap, no duplicate. */
	subscribe(options: SubscribeOptions): Subscription;
	/** Takes no more requests, waits for the answers to come, ends subscriptions, closes connections. */
	close(): Promise<void>;
}

const defaults: RequestLimits = {
	timeoutMs: 5_000,
	connectTimeoutMs: 1_000,
	prefer: "leader",
	connections: 1,
	maxAttempts: 50,
	maxPending: 16_384,
	maxPendingBytes: 64 * 1024 * 1024,
};

/**
 * A client of a cluster of raftd. Connects when it is first needed. Throws TypeError for an endpoint that is not
 * host:port.
 */
export function connectRaft(options: ConnectOptions): RaftClient {
	const { endpoints: addresses, ...changes } = options;
	const endpoints = parseEndpoints(addresses);
	const limits = { ...defaults, ...changes };
	const requester = new Requester(endpoints, limits);
	const subscriptions = new Set<Subscription>();
	return {
		command: (command, { ack = "apply", timeoutMs } = {}) =>
			requester.request({
				words: { kind: "command", ack },
				bytes: command,
				timeoutMs,
			}),
		query: (
			query,
			{ consistency = "linearizable", minIndex = 0, timeoutMs } = {},
		) =>
			requester.request({
				words: { kind: "query", consistency, minIndex },
				bytes: query,
				timeoutMs,
			}),
		subscribe(given) {
			const subscription = new EventSubscription({
				...given,
				endpoints,
				connectTimeoutMs: limits.connectTimeoutMs,
				onEnd(error) {
					subscriptions.delete(subscription);
					given.onEnd(error);
				},
			});
			subscriptions.add(subscription);
			return subscription;
		},
		async close() {
			for (const subscription of subscriptions) subscription.close();
			await requester.close();
		},
	};
}
