/**
 * Closed-loop writes against raftd through the client library; one JSON row a client count, as the peer's and the
 * floor's generators print them. One process, eight clients that know all nodes, like the peer's.
 *
 *   raftd-load ENDPOINTS CLIENTS SECONDS BYTES
 */
import {
	connectKeyValue,
	type KeyValueClient,
} from "../../src/client/index.js";

const connections = 8;
const keys = 100_000;

const [endpoints = "", counts = "", seconds = "4", bytes = "256"] =
	process.argv.slice(2);
const pool = Array.from({ length: connections }, () =>
	connectKeyValue({ endpoints: endpoints.split(","), timeoutMs: 30_000 }),
);
const value = Buffer.alloc(Number(bytes), "x");
for (const clients of counts.split(",").map(Number)) {
	console.log(JSON.stringify(await measure(clients, Number(seconds) * 1000)));
}
await Promise.all(pool.map((client) => client.close()));

async function measure(clients: number, durationMs: number) {
	const latencies: number[] = [];
	const sinceMs = performance.now();
	const endMs = sinceMs + durationMs;
	const loop = async (client: KeyValueClient) => {
		while (performance.now() < endMs) {
			const startMs = performance.now();
			await client.put(
				`key-${String((Math.random() * keys) | 0).padStart(12, "0")}`,
				value,
			);
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
