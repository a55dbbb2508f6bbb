import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { commandTable } from "../cli/commands.js";
import { ndjsonLines } from "../cli/ndjson-lines.js";
import { eventually, LocalCluster } from "./local-cluster.js";

let cluster: LocalCluster;

beforeAll(async () => {
	cluster = await LocalCluster.create({ portBase: 23_100 });
	await cluster.succeed(["up"]);
	await cluster.succeed(["kv", "put", "colour", "blue"]);
});

afterAll(() => cluster.dispose());

/** Command lines that change nothing, each with its exit code. */
const looks: readonly (readonly [string, number])[] = [
	["status", 0],
	["health", 0],
	["validate", 0],
	["validate --schema", 0],
	["diff", 0],
	["up --dry-run", 0],
	["down --dry-run --detailed-exitcode", 3],
	["rolling-restart --dry-run", 0],
	["drain n2 --dry-run", 0],
	["undrain n2 --dry-run", 0],
	["transfer-leader --dry-run", 0],
	["kv get colour", 0],
	["kv get nothing", 1],
	["kv list", 0],
	["operation list", 0],
	["alarm list", 0],
	["lock status", 0],
	["lock release --yes", 0],
	["snapshot list", 0],
	["upgrade status", 0],
	["upgrade finalize --dry-run", 0],
	["upgrade rollback --dry-run", 11],
	["upgrade --to 9.9.9 --dry-run", 11],
	["autocomplete bash", 0],
	["autocomplete words -- drain n", 0],
	["operation show nothing", 2],
	["operation resume --yes", 11],
	["operation abort --yes", 11],
	["operation pause", 11],
];

/** Command lines that act, in this order; shown as NDJSON. */
const acts: readonly (readonly [string, number])[] = [
	["up", 0],
	["kv put colour red", 0],
	["kv put colour green --expect 0", 1],
	["drain n2", 0],
	["health", 10],
	["undrain n2", 0],
	["transfer-leader", 0],
	["rolling-restart --node n2 --yes", 0],
	["operation list", 0],
	["operation show", 0],
	["kv delete colour", 0],
	["down --yes", 0],
	["status", 20],
];

describe.each(looks)("raftctl %s, beside a real cluster", (line, code) => {
	it(`says the same in JSON and YAML, and ends with ${code} in each`, async () => {
		const [words, rest = ""] = line.split(/(?= -- )/) as [string, string?];
		const [json, yaml, ndjson] = await Promise.all(
			["json", "yaml", "ndjson"].map((output) => {
				const argv = `${words} -o ${output}${rest}`;
				return cluster.run(argv.split(" "));
			}),
		);
		const document = JSON.parse(json?.stdout ?? "");
		expect(document).toBeTypeOf("object");
		expect(Object.keys(parseYaml(yaml?.stdout ?? ""))).toEqual(
			Object.keys(document),
		);
		const last = ndjsonLines(ndjson?.stdout ?? "").at(-1);
		const inLine =
			last?.type === "error" ? { error: last.error } : last?.result;
		expect(Object.keys(inLine)).toEqual(Object.keys(document));
		expect([json, yaml, ndjson].map((one) => one?.exitCode)).toEqual([
			...[code, code, code],
		]);
	});
});

describe("raftctl, acting on a real cluster", () => {
	it("says in NDJSON what it does, and ends with a result", async () => {
		for (const [line, code] of acts) {
			const argv = [...line.split(" "), "-o", "ndjson"];
			const look = () => cluster.run(argv);
			const outcome =
				code === 10
					? await eventually(async () => {
							const one = await look();
							return one.exitCode === code && one;
						}, line)
					: await look();
			const lines = ndjsonLines(outcome.stdout);
			expect({ line, ...outcome, lines }).toMatchObject({
				...{ exitCode: code, stderr: "" },
			});
			const started = lines.filter(({ type }) => type === "step-started");
			const ended = lines.filter(({ type }) => type === "step-finished");
			expect([line, ended.map(({ step }) => step).sort()]).toEqual([
				...[line, started.map(({ step }) => step).sort()],
			]);
		}
	});

	it("was asked for everything that can be asked of a healthy cluster", () => {
		const elsewhere = [
			"add-learner",
			"alarm clear",
			"bench",
			"demo",
			"demote",
			"deploy",
			"destroy",
			"doctor",
			"dump",
			"init",
			"logs",
			"move-node",
			"promote",
			"recover",
			"remove-node",
			"replace-node",
			"reset-node",
			"scale",
		];
		const lines = [...looks, ...acts].map(([line]) => line);
		const missing = commandTable.commands
			.map(({ id }) => id.replaceAll(":", " "))
			.filter(
				(name) => !lines.some((line) => `${line} `.startsWith(`${name} `)),
			)
			.filter((name) => !elsewhere.includes(name))
			// Files on disk, and what this cluster has not: snapshot-files, upgrade, certificates, haproxy.test.ts.
			.filter((name) => !/^(snapshot|release|certs|balancer) /.test(name));
		expect(missing).toEqual([]);
	});
});
