import { describe, expect, it } from "vitest";
import { BackendPool } from "../../../src/balancers/embedded/backend-pool.js";

function poolOf(...nodes: string[]) {
	const clock = { nowMs: 1_000 };
	const changes: string[] = [];
	const pool = new BackendPool({
		backends: nodes.map((node) => ({ node, client: "", admin: "" })),
		now: () => clock.nowMs,
		onChange: ({ node, state }) => changes.push(`${node} ${state}`),
	});
	return { pool, clock, changes };
}
const nobody: ReadonlySet<string> = new Set();

describe("the pool of backends", () => {
	it("admits nobody before the first check", () => {
		const { pool } = poolOf("n1");
		expect(pool.take(nobody)).toBeNull();
		expect(pool.statuses()).toEqual([
			{
				node: "n1",
				admitting: false,
				state: "down",
				connections: 0,
				reason: "not checked yet",
			},
		]);
	});

	it("spreads connections and counts them until they are released", () => {
		const { pool } = poolOf("n1", "n2", "n3");
		for (const node of ["n1", "n2", "n3"]) pool.report(node, "up", "");
		const taken = Array.from({ length: 9 }, () => pool.take(nobody));
		expect(pool.statuses().map(({ connections }) => connections)).toEqual([
			3, 3, 3,
		]);
		const onN2 = taken.find((entry) => entry?.node === "n2");
		if (onN2) pool.release(onN2);
		expect(pool.take(nobody)?.node).toBe("n2");
	});

	it("spreads connections that are over before the next one begins", () => {
		const { pool } = poolOf("n1", "n2");
		for (const node of ["n1", "n2"]) pool.report(node, "up", "");
		const nodes = Array.from({ length: 4 }, () => {
			const entry = pool.take(nobody);
			if (entry === null) throw new Error("nobody admits");
			pool.release(entry);
			return entry.node;
		});
		expect(nodes).toEqual(["n1", "n2", "n1", "n2"]);
	});

	it("takes other nodes, and those that stay keep their state and connections", () => {
		const { pool } = poolOf("n1", "n2");
		for (const node of ["n1", "n2"]) pool.report(node, "up", "");
		const taken = [pool.take(nobody), pool.take(nobody)];
		const entry = (node: string) => ({ node, client: "", admin: "" });
		pool.replace([entry("n2"), entry("n3")]);
		// A check of one that is gone may still come to its end.
		pool.report("n1", "up", "");
		expect(
			pool.statuses().map(({ node, state, connections }) => ({
				...{ node, state, connections },
			})),
		).toEqual([
			{ node: "n2", state: "up", connections: 1 },
			{ node: "n3", state: "down", connections: 0 },
		]);
		for (const one of taken) if (one !== null) pool.release(one);
		expect(pool.statuses()[0]?.connections).toBe(0);
		expect(pool.take(nobody)?.node).toBe("n2");
	});

	it("sends everything to the preferred nodes until the lease is over", () => {
		const { pool, clock } = poolOf("n1", "n2");
		for (const node of ["n1", "n2"]) pool.report(node, "up", "");
		expect(pool.prefer(["n2"], 500)).toEqual([]);
		for (let i = 0; i < 3; i++) expect(pool.take(nobody)?.node).toBe("n2");
		clock.nowMs += 499;
		expect(pool.preferred()).toEqual(["n2"]);
		clock.nowMs += 1;
		expect(pool.preferred()).toEqual([]);
		expect(pool.take(nobody)?.node).toBe("n1");
	});

	it("ends a preference with an empty list, and renews it", () => {
		const { pool, clock } = poolOf("n1", "n2");
		pool.prefer(["n2"], 500);
		clock.nowMs += 400;
		pool.prefer(["n2"], 500);
		clock.nowMs += 400;
		expect(pool.preferred()).toEqual(["n2"]);
		pool.prefer([], 500);
		expect(pool.preferred()).toEqual([]);
	});

	it("names preferred nodes that it does not have and changes nothing", () => {
		const { pool } = poolOf("n1", "n2");
		pool.prefer(["n1"], 500);
		expect(pool.prefer(["n2", "n9"], 500)).toEqual(["n9"]);
		expect(pool.preferred()).toEqual(["n1"]);
	});

	it("tells of changes once each", () => {
		const { pool, changes } = poolOf("n1");
		pool.report("n1", "down", "nobody listens");
		pool.report("n1", "up", "");
		pool.report("n1", "up", "");
		pool.report("n1", "drain", "draining");
		expect(changes).toEqual(["n1 up", "n1 drain"]);
	});

	it("wakes whoever waits for a node when one comes up, and lets them give up", async () => {
		const { pool } = poolOf("n1");
		const woken: string[] = [];
		const limit = new AbortController();
		const patient = pool
			.nextUp(new AbortController().signal)
			.then(() => woken.push("patient"));
		const hasty = pool.nextUp(limit.signal).then(() => woken.push("hasty"));
		limit.abort();
		await hasty;
		expect(woken).toEqual(["hasty"]);
		pool.report("n1", "up", "");
		await patient;
		expect(woken).toEqual(["hasty", "patient"]);
		await pool.nextUp(limit.signal);
	});
});
