import { afterEach, describe, expect, it } from "vitest";
import {
	get,
	LoopbackCluster,
	put,
	until,
	valueIn,
} from "../../fakes/loopback-cluster.js";

let cluster: LoopbackCluster;

afterEach(() => cluster.close());

describe("a replica in a cluster", () => {
	it("elects a leader, commits, and answers with the machine's result", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		const { replica } = await cluster.leader();
		const outcome = await put(replica, "a", "1");
		expect(outcome.kind).toBe("applied");
		expect(valueIn(await get(replica, "a"))).toBe("1");
	});

	it("forwards a follower's commands, and reads linearizably from every node", async () => {
		cluster = await LoopbackCluster.start(["n1", "n2", "n3"]);
		for (const [at, follower] of (await cluster.followers()).entries()) {
			const outcome = await put(follower, `k${at}`, `v${at}`);
			expect(outcome.kind).toBe("applied");
			for (const replica of cluster.running)
				expect(valueIn(await get(replica, `k${at}`))).toBe(`v${at}`);
		}
	});

	it("founds a single node", async () => {
		cluster = await LoopbackCluster.start(["n1"]);
		const { replica } = await cluster.leader();
		expect((await put(replica, "a", "1", { ack: "commit" })).kind).toBe(
			"committed",
		);
		expect((await put(replica, "b", "2", { ack: "none" })).kind).toBe(
			"accepted",
		);
		await until("b", () => replica.status().applied >= 4);
		expect(valueIn(await get(replica, "b", { consistency: "stale" }))).toBe(
			"2",
		);
	});
});
