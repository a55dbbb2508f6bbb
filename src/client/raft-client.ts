import type { Ack, Consistency } from "../wire/client-frames.js";
import type { Transport } from "./connection.js";
import type { ClientTlsSource } from "./door.js";
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
	/** The cluster speaks TLS to applications; absent: plain text. */
	readonly tls?: ClientTlsSource;
	/**
	 * Sends a command again whose outcome is unknown, in a session that keeps it from being executed twice, until it is
	 * answered or its time is over. Default false.
	 */
	readonly exactlyOnce?: boolean;
	/** Something before `endpoint` lets no stream pass: for a minute, requests go there one by one over plain HTTP. */
	onFallback?(endpoint: string, reason: string): void;
}

export interface CommandOptions {
	/** none: accepted by a node; commit: in the log for good; apply, the default: executed, with its result. */
	readonly ack?: Ack;
	/** Of the entry format that the command's bytes are written in; without it the cluster's write level. */
	readonly level?: number;
	/** For everything, further attempts included. */
	readonly timeoutMs?: number;
}

export interface QueryOptions {
	/**
	 * linearizable, the default: sees everything that was answered before. lease: the same as long as clocks run alike,
	 * and faster. stale: what the node has applied.
	 */
	readonly consistency?: Consistency;
	/** Wait until this raft index is applied; "own": that of this client's last command that was answered. */
	readonly minIndex?: number | "own";
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
	/** The highest raft index of this client's answered commands; elsewhere, as `minIndex`, it shows what they did. */
	readonly lastIndex: number;
	/** How requests travel now: http where something in between lets no stream pass; null without a connection. */
	readonly transport: Transport | null;
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
	const {
		endpoints: addresses,
		tls,
		exactlyOnce = false,
		onFallback = () => {},
		...changes
	} = options;
	const endpoints = parseEndpoints(addresses, tls);
	const limits = { ...defaults, ...changes };
	const requester = new Requester(endpoints, {
		...limits,
		exactlyOnce,
		onFallback,
	});
	const subscriptions = new Set<Subscription>();
	return {
		get lastIndex() {
			return requester.lastIndex;
		},
		get transport() {
			return requester.transport;
		},
		command: (command, { ack = "apply", level, timeoutMs } = {}) =>
			requester.request({
				words: { kind: "command", ack, level },
				bytes: command,
				timeoutMs,
			}),
		query: (
			query,
			{ consistency = "linearizable", minIndex = 0, timeoutMs } = {},
		) =>
			requester.request({
				words: {
					kind: "query",
					consistency,
					minIndex: minIndex === "own" ? requester.lastIndex : minIndex,
				},
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
