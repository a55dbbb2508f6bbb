import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EtcdCluster } from "./etcd.js";
import type { Figure, Settings } from "./figures.js";
import { inTurn, type Round, ratioFigure } from "./in-turn.js";
import { BenchCluster } from "./nodes.js";

const connectionCounts = [64, 256];
const bytes = 256;
const keys = 10_000;
const threads = 2;
const warmUpSeconds = 2;

/** Plain HTTP with JSON under `wrk`, to the leader of each: raftd's client port, and etcd's JSON gateway. */
export async function httpFigures({
	rounds,
	seconds,
	profile,
}: Settings): Promise<Figure[]> {
	const directory = mkdtempSync(join(tmpdir(), "raftctl-bench-http-"));
	const value = "x".repeat(bytes);
	const raftd = scriptIn(directory, "raftd", (key) =>
		JSON.stringify({ op: "put", key, value }),
	);
	const base64 = (text: string) => Buffer.from(text).toString("base64");
	const etcd = scriptIn(directory, "etcd", (key) =>
		JSON.stringify({ key: base64(key), value: base64(value) }),
	);
	try {
		const measured = await inTurn(rounds, {
			raftd: () =>
				BenchCluster.with(3, { profile }, async (cluster) => {
					const { addresses } = await cluster.leader();
					const url = `http://${addresses.client}/v1/command`;
					return wrkRounds("raftd", url, { script: raftd, seconds });
				}),
			etcd: () =>
				EtcdCluster.with([], async (cluster) => {
					const { client } = await cluster.leader();
					const url = `http://${client}/v3/kv/put`;
					return wrkRounds("etcd", url, { script: etcd, seconds });
				}),
		});
		return connectionCounts.map((connections) =>
			ratioFigure(
				`HTTP writes under wrk on ${connections} connections, over etcd's gateway`,
				measured,
				{ of: `raftd ${connections}`, to: `etcd ${connections}`, unit: "/s" },
				{ atLeast: 4 },
			),
		);
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

/** The bodies lie ready: making them is not what is measured. */
function scriptIn(
	directory: string,
	name: string,
	bodyOf: (key: string) => string,
): string {
	const bodies = Array.from({ length: keys }, (_, at) =>
		bodyOf(`key-${String(at).padStart(12, "0")}`),
	);
	const data = join(directory, `${name}.bodies`);
	writeFileSync(data, `${bodies.join("\n")}\n`);
	const script = join(directory, `${name}.lua`);
	writeFileSync(
		script,
		[
			"local bodies = {}",
			`for line in io.lines(${JSON.stringify(data)}) do bodies[#bodies + 1] = line end`,
			'wrk.method = "POST"',
			'wrk.headers["content-type"] = "application/json"',
			"function init() math.randomseed(os.time()) end",
			"function request() return wrk.format(nil, nil, nil, bodies[math.random(#bodies)]) end",
			"",
		].join("\n"),
	);
	return script;
}

function wrkRounds(
	system: string,
	url: string,
	{ script, seconds }: { readonly script: string; readonly seconds: number },
): Round[] {
	wrk(url, { script, connections: 64, seconds: warmUpSeconds });
	return connectionCounts.map(
		(connections) =>
			new Map([
				[
					`${system} ${connections}`,
					wrk(url, { script, connections, seconds }),
				],
			]),
	);
}

interface WrkOptions {
	readonly script: string;
	readonly connections: number;
	readonly seconds: number;
}

/** Requests a second. Throws when any was answered with an error: a refusal is faster than a write. */
function wrk(url: string, options: WrkOptions): number {
	const { script, connections, seconds } = options;
	const { status, stdout, stderr } = spawnSync(
		"wrk",
		[
			...["-t", `${threads}`, "-c", `${connections}`, "-d", `${seconds}s`],
			...["--timeout", "10s", "-s", script, url],
		],
		{ encoding: "utf8" },
	);
	const rate = /^Requests\/sec:\s+([\d.]+)/m.exec(stdout)?.[1];
	const failed = /Non-2xx.*|Socket errors.*/.exec(stdout)?.[0];
	if (status !== 0 || rate === undefined || failed !== undefined)
		throw new Error(`wrk of ${url}: ${failed ?? `${stdout}${stderr}`}`);
	return Number(rate);
}
