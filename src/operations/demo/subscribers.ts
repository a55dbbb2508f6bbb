import { connectRaft, type Subscription } from "../../client/index.js";
import { OperatorError, reasonOf } from "../../errors.js";
import type { TlsSource } from "./http-caller.js";

/** One follower of the event stream, through the balancer, and what it saw. */
export interface Subscriber {
	/** The indexes of the events, as they came. */
	readonly received: readonly number[];
	readonly moves: number;
	/** The node it began on; null when that is not known. */
	readonly firstNode: string | null;
	/** Why it ended by itself; null while it goes on. */
	readonly failure: string | null;
}

export interface Subscribers {
	readonly all: readonly Subscriber[];
	/** Resolves once every one of them has been told everything up to `index`. */
	caughtUp(index: number, limitMs: number): Promise<void>;
	close(): Promise<void>;
}

const pollMs = 20;

/** Subscribes `count` times, each over a WebSocket of its own; resolves once all of them miss nothing any more. */
export async function subscribe(options: {
	address: string;
	count: number;
	tls?: TlsSource;
}): Promise<Subscribers> {
	const { address, tls } = options;
	const client = connectRaft({
		endpoints: [address],
		...(tls === undefined ? {} : { tls }),
	});
	const subscribers = Array.from({ length: options.count }, () => {
		const received: number[] = [];
		let firstNode: string | null = null;
		let failure: string | null = null;
		const subscription: Subscription = client.subscribe({
			onEvent: (index) => received.push(index),
			onEnd: (error) => {
				failure = error === null ? null : reasonOf(error);
			},
		});
		const ready = subscription.ready.then(() => {
			firstNode = subscription.node;
		});
		return {
			received,
			subscription,
			ready,
			get firstNode() {
				return firstNode;
			},
			get moves() {
				return subscription.moves;
			},
			get failure() {
				return failure;
			},
		};
	});
	await Promise.all(subscribers.map(({ ready }) => ready));
	return {
		all: subscribers,
		caughtUp: async (index, limitMs) => {
			const behind = () =>
				subscribers.filter(({ subscription }) => subscription.next <= index);
			const endMs = performance.now() + limitMs;
			while (behind().length > 0) {
				if (performance.now() > endMs) {
					throw new OperatorError(
						"timeout",
						`${behind().length} of ${subscribers.length} subscribers have not been told everything within ${limitMs} ms`,
					);
				}
				await new Promise((wake) => setTimeout(wake, pollMs));
			}
		},
		close: () => client.close(),
	};
}
