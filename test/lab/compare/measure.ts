import { setTimeout as sleep } from "node:timers/promises";
import {
	type Subscribers,
	subscribe,
} from "../../../src/operations/demo/subscribers.js";
import { httpClient, type Question } from "./http-client.js";
import { LeaderWatch } from "./leader-watch.js";
import { Writes } from "./writes.js";

/** The same for every way and every system. */
export const load = {
	writesPerSecond: 100,
	connections: 32,
	timeoutMs: 10_000,
	subscribers: 18,
} as const;

const warmUpMs = 3_000;
/** After the last node is back: what the restarts still cost then is theirs, too. */
const afterMs = 3_000;
const askTimeoutMs = 500;

/** A cluster behind the balancer, as those who use it see it. */
export interface System {
	/** host:port of the balancer. */
	readonly front: string;
	readonly write: (number: number) => Question;
	/** host:port of each node, and how it is asked who leads. */
	readonly nodes: readonly string[];
	readonly whoLeads: Question;
	/** What a node says to that when it leads itself. */
	readonly leads: (answer: string) => boolean;
	/** Whether it has events to be told of, over WebSockets. */
	readonly hasEvents: boolean;
}

export interface Measured {
	/** Requests that a client saw fail. */
	readonly failed: number;
	/** Of the writes that were acknowledged, from when it was due. */
	readonly slowestMs: number;
	/** For how long no node said that it leads, in all. */
	readonly leaderlessMs: number;
	/** WebSockets that moved more than once, but for those that began on the first node; null where there are none. */
	readonly movedTwice: number | null;
	/** From the first restart until the last node was back. */
	readonly totalMs: number;
}

export interface Run {
	readonly measured: Measured;
	readonly writes: number;
	/** Some of what failed. */
	readonly failures: readonly string[];
}

/** Runs `roll` under load. It returns the node that it restarted first. */
export async function measure(
	system: System,
	roll: () => Promise<string>,
): Promise<Run> {
	const { front, write } = system;
	const subscribers = system.hasEvents
		? await subscribe({ address: front, count: load.subscribers })
		: null;
	const watch = watchOf(system);
	const { writesPerSecond: perSecond, connections, timeoutMs } = load;
	const writes = new Writes({
		...{ address: front, perSecond, connections, timeoutMs, write },
	});
	try {
		await sleep(warmUpMs);
		if (writes.failed > 0 || writes.done === 0)
			throw new Error(
				`before anything was restarted ${writes.failed} writes failed: ${writes.failures[0]}`,
			);
		writes.beginMeasuring();
		watch.begin();
		const beganAtMs = performance.now();
		const first = await roll();
		const totalMs = performance.now() - beganAtMs;
		await sleep(afterMs);
		await writes.stop();
		const leaderlessMs = await watch.end();
		return {
			measured: {
				...{ failed: writes.failed, slowestMs: Math.round(writes.slowestMs) },
				leaderlessMs: Math.round(leaderlessMs),
				movedTwice: subscribers && movedTwice(subscribers.all, first),
				totalMs: Math.round(totalMs),
			},
			...{ writes: writes.done + writes.failed, failures: writes.failures },
		};
	} finally {
		await writes.stop();
		await watch.end();
		await subscribers?.close();
	}
}

/** Where one that begins on the first node goes to is restarted after it: it moves twice at best. */
export function movedTwice(
	all: readonly Pick<Subscribers["all"][number], "firstNode" | "moves">[],
	first: string,
): number {
	return all.filter(({ firstNode, moves }) => firstNode !== first && moves > 1)
		.length;
}

function watchOf({ nodes, whoLeads, leads }: System): LeaderWatch {
	return new LeaderWatch(
		nodes.map((address) => {
			const client = httpClient({
				...{ address, connections: 1, timeoutMs: askTimeoutMs },
			});
			return async () => leads(await client.ask(whoLeads));
		}),
	);
}
