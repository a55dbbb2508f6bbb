import {
	chmod,
	mkdtemp,
	readdir,
	readFile,
	rm,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadInventory, parseInventory } from "../../src/config/load.js";
import { OperatorError } from "../../src/errors.js";

const minimal = "name: demo\nid: demo-1\nnodes: [n1, n2, n3]\n";

function parse(text: string) {
	return parseInventory(text, {
		source: "cluster.yaml",
		directory: "/clusters",
	});
}

describe("a minimal cluster file", () => {
	it("becomes a whole inventory by its defaults", async () => {
		const inventory = parse(minimal);
		await expect(`${JSON.stringify(inventory, null, 2)}\n`).toMatchFileSnapshot(
			"minimal.golden",
		);
	});

	it("keeps each node's ports when lines move or go", () => {
		const all = parse(minimal).nodes;
		const fewer = parse(minimal.replace("n1, n2, n3", "n3, n1")).nodes;
		expect(fewer).toEqual([all[2], all[0]]);
	});

	it("is frozen to its depths", () => {
		const inventory = parse(minimal);
		expect(Object.isFrozen(inventory)).toBe(true);
		expect(Object.isFrozen(inventory.nodes[0])).toBe(true);
		expect(Object.isFrozen(inventory.timing)).toBe(true);
	});
});

describe("a full cluster file", () => {
	it("says everything itself, relative paths from its own directory", () => {
		const inventory = parse(`name: orders
id: orders-1
state: ./var
nodes:
  - id: alpha
    role: learner
    peer: 127.0.0.1:9001
    client: localhost:9002
    admin: "[::1]:9003"
    agent: 127.0.0.1:9004
    data: /var/lib/orders
  - n1
balancer:
  kind: embedded
  listen: 127.0.0.1:80
  checkInterval: 1.5s
timing: { electionTimeout: 2s, diskStall: 1m }
roll: { settle: 0s, drainTimeout: 1h }
app: machines/orders.js
`);
		expect(inventory).toMatchObject({
			stateDirectory: "/clusters/var",
			app: "/clusters/machines/orders.js",
			nodes: [
				{
					id: "alpha",
					role: "learner",
					peer: "127.0.0.1:9001",
					client: "localhost:9002",
					admin: "[::1]:9003",
					agent: "127.0.0.1:9004",
					dataDirectory: "/var/lib/orders",
				},
				{ id: "n1", dataDirectory: "/clusters/var/n1/data", agent: null },
			],
			balancer: {
				listen: "127.0.0.1:80",
				admin: "127.0.0.1:7101",
				checkIntervalMs: 1500,
			},
			timing: {
				electionTimeoutMs: 2000,
				heartbeatIntervalMs: 100,
				diskStallMs: 60_000,
			},
			roll: { settleMs: 0, drainTimeoutMs: 3_600_000 },
		});
	});
});

describe("voters", () => {
	it("are warned about when their number is even, with the reason", () => {
		const { warnings } = parse(minimal.replace("n3", "n3, n4"));
		expect(warnings).toEqual([
			"cluster.yaml:3:8 4 voters survive the loss of 1, no more than 3 would: a majority of 4 is 3; take one out, or add one",
		]);
	});

	it("are warned about when there is one, and not when there are three", () => {
		expect(parse(minimal.replace(", n2, n3", "")).warnings).toEqual([
			expect.stringContaining("when it is down, the cluster is down"),
		]);
		expect(parse(minimal).warnings).toEqual([]);
	});
});

/** Every file in mistakes/ is one bad cluster file; beside it lies what raftctl says. `vitest -u` rewrites. */
describe("a cluster file with mistakes", async () => {
	const directory = join(import.meta.dirname, "mistakes");
	const names = (await readdir(directory)).filter((name) =>
		name.endsWith(".yaml"),
	);

	it.each(names)("is refused, every mistake named: %s", async (name) => {
		const text = await readFile(join(directory, name), "utf8");
		const error = refusalOf(text, name);
		expect(error.kind).toBe("config");
		await expect(
			`${error.message}\n${error.problems.join("\n")}\n`,
		).toMatchFileSnapshot(`mistakes/${name.replace(".yaml", ".golden")}`);
	});
});

function refusalOf(text: string, source: string): OperatorError {
	try {
		parseInventory(text, { source, directory: "/clusters" });
	} catch (error) {
		if (error instanceof OperatorError) return error;
		throw error;
	}
	throw new Error(`${source} was accepted`);
}

describe("a cluster file on disk", () => {
	let directory: string;

	beforeEach(async () => {
		directory = await mkdtemp(join(tmpdir(), "cluster-file-"));
	});

	afterEach(() => rm(directory, { recursive: true }));

	it("is found from the working directory and named as it was given", async () => {
		await writeFile(join(directory, "cluster.yaml"), minimal);
		const inventory = await loadInventory("cluster.yaml", directory);
		expect(inventory.source).toBe("cluster.yaml");
		expect(inventory.stateDirectory).toBe(join(directory, ".raftctl/demo"));
	});

	it("names the right to read it when this user may not", async () => {
		const path = join(directory, "cluster.yaml");
		await writeFile(path, minimal, { mode: 0o000 });
		await chmod(directory, 0o755);
		// Root may read everything: for the time of the look this process is nobody.
		const root = process.geteuid?.() === 0;
		if (root) process.seteuid?.(65_534);
		try {
			await expect(
				loadInventory("cluster.yaml", directory),
			).rejects.toMatchObject({
				kind: "config",
				message: `${path} may not be read by this user`,
				next: `let this user read it: chmod u+r ${path}, or be its owner`,
				cause: { code: "EACCES" },
			});
		} finally {
			if (root) process.seteuid?.(0);
		}
	});

	it("leads to init when there is none", async () => {
		await expect(
			loadInventory("cluster.yaml", directory),
		).rejects.toMatchObject({
			kind: "config",
			message: `there is no file ${join(directory, "cluster.yaml")}`,
			next: expect.stringContaining("raftctl init"),
		});
	});
});
