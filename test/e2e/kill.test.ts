import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectKv } from "./kv.js";
import { eventually, LocalCluster } from "./local-cluster.js";

const soakMs = 120_000;
/** A machine that is slow takes longer for them. */
const fewestKills = 11;
const concurrentReads = 64;

/** Nodes die at random moments under load; what was acknowledged must be there afterwards, on every node. */
describe("kill -9 of any node at random moments for two minutes", () => {
	let cluster: LocalCluster;
	beforeAll(async () => {
		cluster = await LocalCluster.create({ portBase: 18_100 });
		await cluster.succeed(["up"]);
	});
	afterAll(() => cluster?.dispose());

	it(
		"loses no acknowledged write",
		async () => {
			const { nodes } = (await cluster.json(["validate"])).inventory;
			const addresses: string[] = nodes.map(
				({ client }: { client: string }) => client,
			);
			const acknowledged = new Map<string, string>();
			let unknown = 0;
			let kills = 0;
			const endMs = performance.now() + soakMs;
			const running = () => performance.now() < endMs || kills < fewestKills;

			const write = async (writer: number) => {
				const kv = connectKv(addresses);
				for (let count = 0; running(); count++) {
					const key = `k${writer}/${count}`;
					try {
						await kv.put(key, `value of ${key}`);
						acknowledged.set(key, `value of ${key}`);
					} catch {
						unknown++;
					}
				}
				await kv.close();
			};
			const kill = async () => {
				while (running()) {
					await pause(500 + Math.random() * 2500);
					const name = `n${1 + Math.floor(Math.random() * 3)}`;
					await cluster.signal(name, "SIGKILL").catch(() => undefined);
					kills++;
					await pause(Math.random() * 1000);
					await cluster.succeed(["up"]);
				}
			};
			await Promise.all([...[1, 2, 3, 4, 5, 6].map(write), kill()]);

			await cluster.succeed(["up"]);
			await eventually(
				async () => (await cluster.json(["status"])).healthy,
				"a healthy cluster",
			);
			expect(kills).toBeGreaterThanOrEqual(fewestKills);
			expect(acknowledged.size).toBeGreaterThan(1000);
			for (const address of addresses) {
				const kv = connectKv([address]);
				const missing: string[] = [];
				const left = acknowledged.entries();
				const read = async () => {
					for (const [key, value] of left) {
						if ((await kv.get(key)) !== value) missing.push(key);
					}
				};
				await Promise.all(Array.from({ length: concurrentReads }, read));
				await kv.close();
				expect(missing, `on ${address}; ${unknown} writes unknown`).toEqual([]);
			}
		},
		soakMs * 4,
	);
});

function pause(ms: number): Promise<void> {
	return new Promise((wake) => setTimeout(wake, ms));
}
