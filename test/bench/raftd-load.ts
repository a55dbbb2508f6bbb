/**
 * Closed-loop writes or reads against raftd through the client library; one JSON row a client count, as the peer's and the
 * floor's generators print them. One process, eight clients that know all nodes, like the peer's. Before reads every key
 * is written once.
 *
 *   raftd-load --endpoints A,B --clients 1,16 --seconds 4 --bytes 256 --keys 100000 [--reads] [--prefer leader|any]
 */
import { parseArgs } from "node:util";
import {
	connectKeyValue,
	type KeyValueClient,
} from "../../src/client/index.js";

const connections = 8;
const fillsAtOnce = 256;

const { values } = parseArgs({
	options: {
		endpoints: { type: "string", default: "" },
		clients: { type: "string", default: "1,16,64,256,1000" },
		seconds: { type: "string", default: "4" },
		bytes: { type: "string", default: "256" },
		keys: { type: "string", default: "100000" },
		prefer: { type: "string", default: "leader" },
		reads: { type: "boolean", default: false },
	},
});
const keys = Number(values.keys);
const pool = Array.from({ length: connections }, () =>
	connectKeyValue({
		endpoints: values.endpoints.split(","),
		prefer: values.prefer === "any" ? "any" : "leader",
		timeoutMs: 30_000,
	}),
);
const value = Buffer.alloc(Number(values.bytes), "x");
const put = (client: KeyValueClient, key: number): Promise<unknown> =>
	client.put(nameOf(key), value);
const get = (client: KeyValueClient, key: number): Promise<unknown> =>
	client.get(nameOf(key));

if (values.reads) await fill();
const work = values.reads ? get : put;
for (const clients of values.clients.split(",").map(Number)) {
	const row = await measure(clients, Number(values.seconds) * 1000);
	console.log(JSON.stringify(row));
}
await Promise.all(pool.map((client) => client.close()));

function nameOf(key: number): string {
	return `key-${String(key).padStart(12, "0")}`;
}

async function fill(): Promise<void> {
	let next = 0;
	const writer = async (client: KeyValueClient) => {
		while (next < keys) await put(client, next++);
	};
	await Promise.all(
		Array.from({ length: fillsAtOnce }, (_, at) =>
			writer(pool[at % connections] as KeyValueClient),
		),
	);
}

async function measure(clients: number, durationMs: number) {
	const latencies: number[] = [];
	const sinceMs = performance.now();
	const endMs = sinceMs + durationMs;
	const loop = async (client: KeyValueClient) => {
		while (performance.now() < endMs) {
			const startMs = performance.now();
			await work(client, Math.floor(Math.random() * keys));
			latencies.push(performance.now() - startMs);
		}
	};
	await Promise.all(
		Array.from({ length: clients }, (_, at) =>
			loop(pool[at % connections] as KeyValueClient),
		),
	);
	latencies.sort((a, b) => a - b);
	const at = (share: number) =>
		Number(
			(
				latencies[
					Math.min(latencies.length - 1, Math.floor(latencies.length * share))
				] ?? Number.NaN
			).toFixed(2),
		);
	return {
		system: "raftd",
		clients,
		rps: Math.round(latencies.length / ((performance.now() - sinceMs) / 1000)),
		p50: at(0.5),
		p90: at(0.9),
		p99: at(0.99),
		max: at(1),
	};
}
