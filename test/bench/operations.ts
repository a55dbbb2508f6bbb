import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { LocalCluster } from "../e2e/local-cluster.js";
import { type Figure, mebibyte, rounded, type Settings } from "./figures.js";
import { Load } from "./load/load.js";

const itemBytes = 1024;
const fillClients = 256;
const loadClients = 64;
const calmSeconds = 8;
const statusRuns = 5;

/** What raftctl takes for its own work: clusters that it started itself, and commands as they are typed. */
export async function operationsFigures({
	scale,
}: Settings): Promise<Figure[]> {
	return [
		...(await savedAndVerified(Math.round(1024 * scale))),
		...(await replaced(Math.round(256 * scale))),
		...(await statusWithFrozenNode()),
	];
}

/** A snapshot to a file beside `dd` on the same disk, and the drill with that file. */
function savedAndVerified(megabytes: number): Promise<Figure[]> {
	return withCluster({ portBase: 25_100, nodes: 1 }, async (cluster) => {
		const load = await Load.to(clientOf(cluster, "n1"));
		await fill(load, megabytes);
		await load.end();
		const file = join(cluster.directory, "saved");
		const before = await dd(cluster.directory, megabytes);
		const saved = await stepsOf(cluster, ["snapshot", "save", "--file", file]);
		const after = await dd(cluster.directory, megabytes);
		const size = statSync(file).size / 1e6;
		const rate = size / (saved.steps["n1/copy"] ?? Number.NaN);
		const whole = size / saved.seconds;
		const floor = (before + after) / 2;
		const verified = await timed(cluster, ["snapshot", "verify", file]);
		return [
			{
				name: `snapshot save of ${megabytes} MiB: its copy, over dd with fsync`,
				value: (100 * rate) / floor,
				unit: "%",
				atLeast: 60,
				note: `${rounded(rate)} MB/s; dd ${rounded(before)} and ${rounded(after)} MB/s`,
			},
			{
				name: `snapshot save of ${megabytes} MiB, from typed to done`,
				value: (100 * whole) / floor,
				unit: "%",
				note: `${rounded(whole)} MB/s; taken in ${rounded(saved.steps["n1/snapshot"] ?? Number.NaN)} s, no faster than limits.maxSnapshotBytesPerSecond`,
			},
			{
				name: `snapshot verify of ${megabytes} MiB`,
				value: size / verified.seconds,
				unit: "MB/s",
				atLeast: 100,
				note: `${rounded(verified.seconds)} s`,
			},
		];
	});
}

/** A follower gives way to a new node, under writes at half of what the cluster can do. */
function replaced(megabytes: number): Promise<Figure[]> {
	return withCluster({ portBase: 25_200, nodes: 3 }, async (cluster) => {
		const { leader } = await cluster.json(["status"]);
		const load = await Load.to(clientOf(cluster, leader));
		await fill(load, megabytes);
		const writes = { bytes: itemBytes, keys: megabytes * 1024 };
		load.begin({ ...writes, clients: loadClients });
		await load.during(2);
		const capacity = await load.during(4);
		load.pause();
		const perSecond = Math.round(capacity.done / capacity.seconds / 2);
		load.begin({ ...writes, perSecond });
		await load.during(2);
		const before = await load.during(calmSeconds);
		const old = ["n1", "n2", "n3"].find((id) => id !== leader) ?? "n1";
		const operation = await timed(cluster, [
			...["replace-node", old, "n4", "--yes"],
		]);
		const during = await load.take();
		await load.end();
		return [
			{
				name: `p99 of writes during replace-node at ${megabytes} MiB, over that before`,
				value: during.p99 / before.p99,
				unit: "×",
				atMost: 2,
				note: `p50 ${before.p50} p99 ${before.p99}; during p50 ${during.p50} p99 ${during.p99} max ${during.max}; ${perSecond} writes/s, ${rounded(operation.seconds)} s`,
			},
		];
	});
}

/** What a person waits for who asks while one of five nodes is frozen: it neither answers nor refuses. */
function statusWithFrozenNode(): Promise<Figure[]> {
	return withCluster({ portBase: 25_300, nodes: 5 }, async (cluster) => {
		const { leader } = await cluster.json(["status"]);
		const frozen = leader === "n5" ? "n4" : "n5";
		const calm = await worstStatus(cluster);
		await cluster.signal(frozen, "SIGSTOP");
		try {
			return [
				{
					name: "status -o json with one frozen node of five, the slowest",
					value: await worstStatus(cluster),
					unit: "s",
					atMost: 1.5,
					note: `of ${statusRuns}; ${rounded(calm)} s while all answer`,
				},
			];
		} finally {
			await cluster.signal(frozen, "SIGCONT");
		}
	});
}

async function worstStatus(cluster: LocalCluster): Promise<number> {
	let worst = 0;
	for (let run = 0; run < statusRuns; run++) {
		const { seconds } = await timed(cluster, ["status", "-o", "json"]);
		worst = Math.max(worst, seconds);
	}
	return worst;
}

async function withCluster<T>(
	options: { readonly portBase: number; readonly nodes: number },
	use: (cluster: LocalCluster) => Promise<T>,
): Promise<T> {
	const cluster = await LocalCluster.create(options);
	try {
		await cluster.succeed(["up"]);
		return await use(cluster);
	} finally {
		await cluster.dispose();
	}
}

/** By the numbers of a local cluster's ports (docs/cluster-file.md). */
function clientOf({ portBase }: LocalCluster, id: string): string {
	return `127.0.0.1:${portBase + 10 * Number(id.slice(1)) + 1}`;
}

/** Items of 1 KiB, each once. */
async function fill(load: Load, megabytes: number): Promise<void> {
	const keys = megabytes * 1024;
	await load.all({
		...{ bytes: itemBytes, keys, ordered: true },
		...{ clients: fillClients, total: keys },
	});
}

async function timed(
	cluster: LocalCluster,
	argv: readonly string[],
): Promise<{ readonly seconds: number }> {
	const sinceMs = performance.now();
	await cluster.succeed(argv);
	return { seconds: (performance.now() - sinceMs) / 1000 };
}

/** The same, with the seconds of each step. */
async function stepsOf(
	cluster: LocalCluster,
	argv: readonly string[],
): Promise<{
	readonly seconds: number;
	readonly steps: Readonly<Record<string, number>>;
}> {
	const sinceMs = performance.now();
	const { stdout } = await cluster.succeed([...argv, "-o", "ndjson"]);
	const seconds = (performance.now() - sinceMs) / 1000;
	const lines = stdout.trim().split("\n");
	const finished = lines
		.map((line) => JSON.parse(line))
		.filter(({ type }) => type === "step-finished");
	const steps = Object.fromEntries(
		finished.map(({ step, durationMs }) => [step, durationMs / 1000]),
	);
	return { seconds, steps };
}

/** In MB/s: the floor of whatever writes a file and makes it durable. */
async function dd(directory: string, megabytes: number): Promise<number> {
	const path = join(directory, "floor");
	const sinceMs = performance.now();
	const child = spawn(
		"dd",
		[
			...["if=/dev/zero", `of=${path}`, "bs=1M", `count=${megabytes}`],
			"conv=fsync",
		],
		{ stdio: "ignore" },
	);
	const [code] = await once(child, "exit");
	const seconds = (performance.now() - sinceMs) / 1000;
	rmSync(path, { force: true });
	if (code !== 0) throw new Error(`dd ended with ${code}`);
	return (megabytes * mebibyte) / 1e6 / seconds;
}
