import { connectRaft } from "../../src/client/index.js";
import { Random } from "../sim/random.js";
import { callTimeoutMs, httpCaller, libraryCaller } from "./callers.js";
import type { Cluster } from "./cluster.js";
import { restore } from "./faults/members.js";
import type { History } from "./history.js";
import type { Watcher } from "./watching.js";
import { readKey } from "./workload.js";

const limitMs = 60_000;
const pollMs = 50;
const readersAtOnce = 16;

/**
 * The end of a run: everything is mended; then everybody must agree, and every key is read once more. Says what does not
 * come about, in sentences.
 */
export async function settle({
	cluster,
	history,
	watchers,
}: {
	readonly cluster: Cluster;
	readonly history: History;
	readonly watchers: readonly Watcher[];
}): Promise<string[]> {
	cluster.network.heal({ reset: true });
	for (const node of cluster.nodes) {
		node.thaw();
		cluster.start(node);
	}
	for (const place of cluster.places) {
		if (!(await restore(cluster, place, AbortSignal.timeout(limitMs))))
			return [`the member at ${place.name} does not become a voter again`];
	}
	if (!(await within(() => isCalm(cluster))))
		return ["the mended cluster did not come to one leader and one log"];
	const unread = await readAll(cluster, history);
	if (unread.length > 0)
		return [`nobody answered for ${unread.join(", ")} in the mended cluster`];
	const [status] = await cluster.statuses();
	const index = status?.commitIndex ?? 0;
	const lags = watchers.filter(({ told }) => told < index);
	const caughtUp = await within(async () =>
		watchers.every(({ told }) => told >= index),
	);
	return [
		...(caughtUp ? [] : [`${lags.length} subscribers do not get to ${index}`]),
		...(await disagreements(cluster, index)),
	];
}

/** One leader, which all know, and nothing committed that is not executed everywhere. */
async function isCalm(cluster: Cluster): Promise<boolean> {
	const statuses = await cluster.statuses();
	const [first] = statuses;
	if (first === undefined || statuses.length < cluster.places.length)
		return false;
	return (
		first.leaderId !== "" &&
		statuses.every(
			(status) =>
				status.leaderId === first.leaderId &&
				status.term === first.term &&
				status.appliedIndex === first.commitIndex,
		)
	);
}

/** Reads every key; returns those that could not be read. */
async function readAll(cluster: Cluster, history: History): Promise<string[]> {
	const client = connectRaft({
		endpoints: cluster.clients,
		timeoutMs: callTimeoutMs,
		prefer: "any",
	});
	const caller = libraryCaller(client);
	const keys = history.keys.values();
	const unread: string[] = [];
	const reader = { name: "last", caller, history };
	const read = async () => {
		for (const key of keys) {
			const isRead = () => readKey({ ...reader, reads: "linearizable" }, key);
			if (!(await within(isRead))) unread.push(key);
		}
	};
	await Promise.all(Array.from({ length: readersAtOnce }, read));
	await client.close();
	return unread;
}

/** The machines' digests at `index` or later; nothing is executed any more, so that they must be equal (P60). */
async function disagreements(
	cluster: Cluster,
	index: number,
): Promise<string[]> {
	const random = new Random(index);
	const digests = await Promise.all(
		cluster.nodes.map(async ({ id, place }) => {
			const caller = httpCaller([place.client], () => random.next());
			const said = await caller.query({ op: "digest" }, "stale");
			await caller.close();
			return [id, said.kind === "done" ? said.output : said.reason] as const;
		}),
	);
	const [, first] = digests[0] ?? [];
	return digests.every(([, digest]) => digest === first)
		? []
		: [`the nodes' states differ: ${JSON.stringify(digests)}`];
}

/** Looks again until it holds, for a limited time. */
async function within(look: () => Promise<boolean>): Promise<boolean> {
	const endMs = performance.now() + limitMs;
	while (!(await look())) {
		if (performance.now() > endMs) return false;
		await new Promise((wake) => setTimeout(wake, pollMs));
	}
	return true;
}
