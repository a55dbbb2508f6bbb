import { expect } from "vitest";
import {
	type Subscribers,
	subscribe,
} from "../../src/operations/demo/subscribers.js";
import {
	startTraffic,
	type Traffic,
} from "../../src/operations/demo/traffic.js";
import type { FrontCluster } from "./front-cluster.js";
import { eventually } from "./local-cluster.js";

interface Load {
	readonly traffic: Traffic;
	readonly subscribers: Subscribers;
}

/** Requests without any retry, and WebSockets that follow the events, through the balancer. */
export async function load({ address }: FrontCluster): Promise<Load> {
	const subscribers = await subscribe({ address, count: 12 });
	const traffic = startTraffic({
		address,
		writers: 6,
		readers: 3,
		timeoutMs: 10_000,
		nowMs: () => performance.now(),
	});
	await eventually(
		async () => traffic.acknowledged.length > 100,
		"the first hundred writes",
	);
	return { traffic, subscribers };
}

/** At most once, but for those that began on the first node: where they go to is restarted after it. */
export async function expectMovedOnce(
	subscribers: Subscribers,
	traffic: Traffic,
	first: string,
): Promise<void> {
	const last = Math.max(...traffic.acknowledged.map(({ index }) => index));
	await subscribers.caughtUp(last, 10_000);
	for (const { firstNode, moves, failure } of subscribers.all) {
		expect(failure).toBeNull();
		expect(moves, `began on ${firstNode}`).toBeLessThanOrEqual(
			firstNode === first ? 2 : 1,
		);
	}
	await subscribers.close();
}
