import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Settings } from "./figures.js";
import { Load } from "./load/load.js";
import { BenchCluster } from "./nodes.js";

const clients = 256;
const bytes = 256;
const keys = 100_000;
const warmUpSeconds = 2;
const places = 20;
/** Threads that had less to do than that in all are left out. */
const leastMs = 200;
const cache = "../../node_modules/.cache/raftctl-bench/profiles";

interface CpuProfile {
	readonly nodes: readonly {
		readonly id: number;
		readonly callFrame: {
			readonly functionName: string;
			readonly url: string;
			readonly lineNumber: number;
		};
	}[];
	readonly samples: readonly number[];
	readonly timeDeltas: readonly number[];
}

/** Writes from 256 clients, and where the processors of the nodes were meanwhile: one table for each thread. */
export async function profileTables({
	profile,
	seconds,
}: Settings): Promise<string[][][]> {
	const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "");
	const directory = profile ?? join(resolve(import.meta.dirname, cache), stamp);
	mkdirSync(directory, { recursive: true });
	const who = await BenchCluster.with(
		3,
		{ profile: directory },
		async (cluster) => {
			const leader = await cluster.leader();
			const load = await Load.to(leader.addresses.client);
			load.begin({ bytes, keys, clients });
			await load.during(warmUpSeconds);
			const { done, seconds: taken } = await load.during(seconds);
			load.pause();
			await load.end();
			process.stderr.write(`  ${Math.round(done / taken)} writes a second\n`);
			return new Map(
				cluster.nodes.map((node) => [
					`${node.pid}`,
					node === leader ? "the leader" : "a follower",
				]),
			);
		},
	);
	process.stderr.write(`  ${directory}\n`);
	return readdirSync(directory)
		.filter((name) => name.endsWith(".cpuprofile"))
		.map((name) => ({ name, profile: read(join(directory, name)) }))
		.map(({ name, profile }) => ({
			of: threadOf(name, who),
			...ownTime(profile),
		}))
		.filter(({ totalMs }) => totalMs > leastMs)
		.sort((a, b) => b.totalMs - a.totalMs)
		.map(tableOf);
}

function read(path: string): CpuProfile {
	return JSON.parse(readFileSync(path, "utf8"));
}

/** Of a name like CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile */
function threadOf(name: string, who: ReadonlyMap<string, string>): string {
	const [, , , pid = "", thread = ""] = name.split(".");
	const node = who.get(pid) ?? `process ${pid}`;
	return thread === "0" ? node : `${node}, thread ${thread}`;
}

function tableOf(thread: {
	readonly of: string;
	readonly rows: readonly (readonly [string, number])[];
	readonly totalMs: number;
}): string[][] {
	const { of, rows, totalMs } = thread;
	return [
		["own time", "%", `of ${of}, busy for ${totalMs.toFixed(0)} ms`],
		...rows
			.slice(0, places)
			.map(([place, ms]) => [
				`${ms.toFixed(0)} ms`,
				((100 * ms) / totalMs).toFixed(1),
				place,
			]),
	];
}

/** Milliseconds in each function itself, most first; without the time in which there was nothing to do. */
function ownTime({ nodes, samples, timeDeltas }: CpuProfile) {
	const placeOf = new Map(
		nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
			id,
			`${functionName === "" ? "(anonymous)" : functionName}${url === "" ? "" : `  ${url.split("/").slice(-2).join("/")}:${lineNumber + 1}`}`,
		]),
	);
	const own = new Map<string, number>();
	let totalMs = 0;
	for (const [at, id] of samples.entries()) {
		const place = placeOf.get(id) ?? "?";
		if (place === "(idle)" || place === "(program)") continue;
		const ms = (timeDeltas[at] ?? 0) / 1000;
		own.set(place, (own.get(place) ?? 0) + ms);
		totalMs += ms;
	}
	return { rows: [...own].sort(([, a], [, b]) => b - a), totalMs };
}
