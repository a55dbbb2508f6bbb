import { afterEach, describe, expect, it } from "vitest";
import { connectRaft } from "../../src/client/index.js";
import { startClientApi } from "../../src/daemon/api/client-api.js";
import { defineMachine, type Machine } from "../../src/machines/machine.js";
import type { CuttingProxy } from "../fakes/cutting-proxy.js";
import { LoopbackCluster, until } from "../fakes/loopback-cluster.js";
import { cutting, kept, whenDone } from "./cluster.js";

/** Adding twice shows. */
const counter = defineMachine<{ sum: number }>({
	name: "counter",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ sum: 0 }),
	apply(state, command) {
		state.sum += command[0] as number;
		return Buffer.from(`${state.sum}`);
	},
	query: ({ sum }) => Buffer.from(`${sum}`),
	snapshot: ({ sum }) => [Buffer.from(`${sum}`)],
	restore: (chunks) => ({ sum: Number(Buffer.concat([...chunks]).toString()) }),
}) as Machine;

const one = Uint8Array.of(1);
let cluster: LoopbackCluster | null = null;

afterEach(async () => {
	await cluster?.close();
	cluster = null;
});

/** Each node's client port, behind a network that can be cut. */
async function threeNodes(): Promise<CuttingProxy[]> {
	cluster = await LoopbackCluster.start(["n1", "n2", "n3"], {
		machine: counter,
	});
	await cluster.leader();
	const proxies: CuttingProxy[] = [];
	for (const { id, replica } of cluster.nodes) {
		if (replica === null) throw new Error(`${id} is down`);
		const api = await startClientApi({
			...{ replica, machine: counter, nodeId: id },
			...{ listen: "127.0.0.1:0", limits: { closeTimeoutMs: 100 } },
		});
		whenDone(() => api.close());
		proxies.push(await cutting(`127.0.0.1:${api.port}`));
	}
	return proxies;
}

describe("a client of a real cluster", () => {
	it("adds exactly once, while leadership moves and connections break", async () => {
		const proxies = await threeNodes();
		const client = kept(
			connectRaft({
				endpoints: proxies.map(({ address }) => address),
				...{ exactlyOnce: true, timeoutMs: 50_000 },
			}),
		);
		let over = false;
		let added = 0;
		const writer = async () => {
			while (!over) {
				await client.command(one);
				added++;
			}
		};
		const writers = Promise.all(Array.from({ length: 8 }, writer));
		for (let round = 0; round < 6; round++) {
			const target = added + 20;
			await until("progress", () => added > target);
			if (round % 2 === 0) for (const proxy of proxies) proxy.cutAll();
			else {
				const leader = await (cluster as LoopbackCluster).leader();
				await new Promise((resolve) =>
					leader.replica.transferLeadership(null, resolve),
				);
			}
		}
		over = true;
		await writers;
		const { result } = await client.query(new Uint8Array());
		expect(Number(result.toString())).toBe(added);
	});

	it("reads its own writes on another node, and is told how old they are", async () => {
		const proxies = await threeNodes();
		const writer = kept(
			connectRaft({ endpoints: [proxies[0]?.address as string] }),
		);
		for (const { address } of proxies) {
			await writer.command(one);
			const reader = kept(connectRaft({ endpoints: [address] }));
			const { result, ageMs } = await reader.query(new Uint8Array(), {
				...{ consistency: "stale", minIndex: writer.lastIndex },
			});
			const own = await writer.query(new Uint8Array(), {
				...{ consistency: "stale", minIndex: "own" },
			});
			expect(result.toString()).toBe(own.result.toString());
			expect(ageMs).toBeGreaterThanOrEqual(0);
			const lease = await reader.query(new Uint8Array(), {
				consistency: "lease",
			});
			expect(lease).toMatchObject({ ageMs: 0, result: own.result });
		}
	});
});
