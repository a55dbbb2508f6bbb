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

/** A roll under load: no request fails, no WebSocket moves twice. */
export async function expectUnnoticedRoll(front: FrontCluster): Promise<void> {
	const { traffic, subscribers } = await load(front);
	const report = await front.cluster.json(["rolling-restart", "--yes"]);
	await traffic.stop();
	expect(traffic.failures).toEqual([]);
	expect(report.nodes).toHaveLength(3);
	await expectMovedOnce(subscribers, traffic, report.nodes[0].node);
}

/** Gives up what a killed operator left, once its lock is over. */
export async function giveUp({ cluster }: FrontCluster): Promise<void> {
	await eventually(
		async () =>
			(await cluster.run(["operation", "abort", "--yes"])).exitCode === 0,
		"the operation given up",
		60_000,
	);
}

/** At most once, but for those that began on the first node: where they go to is restarted after it. */
async function expectMovedOnce(
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
