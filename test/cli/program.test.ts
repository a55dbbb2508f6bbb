import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import {
	main,
	type Outcome,
	onTerminal,
	type RunOptions,
	raftctl,
} from "./raftctl.js";

let directory: string;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "raftctl-"));
});

afterEach(() => rm(directory, { recursive: true }));

function run(
	argv: readonly string[],
	options: Partial<RunOptions> = {},
): Promise<Outcome> {
	return raftctl(argv, { directory, ...options });
}

function write(text: string): Promise<void> {
	return writeFile(join(directory, "cluster.yaml"), text);
}

const escapeCode = String.fromCharCode(27);
const valid = "name: demo\nid: demo-1\nnodes: [n1, n2, n3]\n";

describe("raftctl", () => {
	it("says its version, its platform and its Node.js", async () => {
		const { code, stdout, stderr } = await run(["--version"]);
		expect(stdout).toMatch(/^raftctl\/\d+\.\d+\.\d+ \S+-\S+ node-v\d+\S+\n$/);
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	});

	it("ends with 1 when what it says cannot be written, and has done it all the same", async () => {
		const full = openSync("/dev/full", "w");
		const child = spawn(process.execPath, [main, "init", "--name", "demo"], {
			...{ cwd: directory, stdio: ["ignore", full, "pipe"] },
		});
		closeSync(full);
		let stderr = "";
		child.stderr?.on("data", (piece) => {
			stderr += piece;
		});
		const [code] = await once(child, "close");
		expect(stderr).toMatch(/^Error: the output could not be written: ENOSPC/);
		expect(stderr).toContain("what was asked for is done");
		expect(code).toBe(1);
		expect(await readFile(join(directory, "cluster.yaml"), "utf8")).toContain(
			"name: demo",
		);
	});

	it.each([["--help"], ["help"]])("lists its commands for %s", async (word) => {
		const { code, stdout, stderr } = await run([word]);
		expect(stdout).toContain("validate");
		expect(stdout).not.toContain(escapeCode);
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	});

	it.each([["kv"], ["operation"], ["lock"]])(
		"lists the commands of %s",
		async (topic) => {
			const { code, stdout, stderr } = await run([topic]);
			expect(stdout).toMatch(new RegExp(`^  ${topic} \\w+  \\S`, "m"));
			expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
		},
	);

	it("explains a command for help and for --help alike", async () => {
		const one = await run(["help", "kv", "put"]);
		const other = await run(["kv", "put", "--help"]);
		expect(one).toEqual(other);
		expect(one.stdout).toContain("--expect");
	});

	it.each([
		["an unknown command", ["valdiate"]],
		["an unknown command of a topic", ["kv", "ptu"]],
		["help about an unknown command", ["valdiate", "--help"]],
		["a command that takes no arguments", ["up", "n1"]],
		["an unknown flag", ["validate", "--strict"]],
		["a missing argument", ["kv", "put", "a"]],
		["an argument too many", ["validate", "a"]],
		["an output that there is not", ["validate", "-o", "xml"]],
		["a duration without its unit", ["kv", "get", "a", "--timeout", "5"]],
		["an index that is no number", ["kv", "get", "a", "--min-index", "-1"]],
		["a number out of bounds", ["init", "--nodes", "10"]],
	])(
		"ends with 2 and a next step, on stderr alone, for %s",
		async (_, argv) => {
			const { code, stdout, stderr } = await run(argv);
			expect(stderr).toMatch(
				/^Error: .+\nState: nothing was touched\.\nNext: .+\n$/s,
			);
			expect(stderr).not.toContain(escapeCode);
			expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
		},
	);

	it.each([["--json"], ["-ojson"], ["--output=json"]])(
		"says the same to a machine, with the same code, for %s",
		async (flag) => {
			const { code, stdout, stderr } = await run([
				"validate",
				flag,
				"--strict",
			]);
			expect(JSON.parse(stdout)).toEqual({
				error: {
					kind: "usage",
					message: expect.stringContaining("--strict"),
					state: "nothing was touched",
					next: "raftctl validate --help",
				},
			});
			expect({ code, stderr }).toEqual({ code: 2, stderr: "" });
		},
	);
});

describe("a question of raftctl", () => {
	it("is an error at once without a terminal, and names the flag that answers it", async () => {
		await write(valid);
		const { code, stdout, stderr } = await run(["down"]);
		expect(stderr).toContain("State: nothing was touched.");
		expect(stderr).toContain("--yes");
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
	});

	it.each([["down"], ["rolling-restart"]])(
		"comes before %s asks any node",
		async (command) => {
			await write(valid);
			const { code, stderr } = await run([command]);
			expect(stderr).toContain("there is nobody to ask");
			expect(code).toBe(2);
		},
	);

	it("that is answered by the end of the input is no yes: 130, and nothing is touched", async () => {
		await write(valid);
		const { code, output } = await onTerminal(["down"], {
			...{ directory, awaited: "(y/N)", typed: "\x04" },
		});
		expect(output).toContain("interrupted at a question");
		expect(code).toBe(130);
	});

	it("is never asked for --dry-run", async () => {
		await write(valid);
		const { code, stderr } = await run(["rolling-restart", "--dry-run"]);
		expect(stderr).not.toContain("there is nobody to ask");
		expect(code).toBe(11);
	});
});

describe("a plan of raftctl", () => {
	it("ends with 3 for --detailed-exitcode when there is something to do, else with 0", async () => {
		await write(valid);
		const words = ["--dry-run", "--detailed-exitcode"];
		const up = await run(["up", ...words]);
		expect(up.stdout).toContain("n1/start");
		expect(up.code).toBe(3);
		expect((await run(["up", "--dry-run"])).code).toBe(0);
		const down = await run(["down", ...words, "--json"]);
		expect(JSON.parse(down.stdout)).toMatchObject({ dryRun: true, plan: [] });
		expect(down.code).toBe(0);
		await expect(stat(join(directory, ".raftctl"))).rejects.toThrow("ENOENT");
	});

	it("is what --detailed-exitcode needs", async () => {
		await write(valid);
		const { code, stderr } = await run(["up", "--detailed-exitcode"]);
		expect(stderr).toContain("--dry-run");
		expect(code).toBe(2);
	});
});

describe("the nodes that a command names", () => {
	it.each([
		["drain", "n9"],
		["drain", "--node", "n9"],
		["undrain", "-n", "n9"],
		["undrain", "n1", "-n", "n9"],
		["transfer-leader", "n9"],
		["transfer-leader", "--to", "n9"],
	])("are understood either way: %s %s %s", async (...argv) => {
		await write(valid);
		const { code, stderr } = await run(argv.filter((word) => word));
		expect(stderr).toContain("the cluster file has no node n9");
		expect(code).toBe(2);
	});

	it.each([
		["none", ["drain"], "which node"],
		["two next leaders", ["transfer-leader", "n1", "--to", "n2"], "n1 and n2"],
	])("must be clear: %s", async (_, argv, said) => {
		await write(valid);
		const { code, stderr } = await run(argv);
		expect(stderr).toContain(said);
		expect(code).toBe(2);
	});
});

describe("raftctl validate", () => {
	it("prints one line for a valid file and ends with 0", async () => {
		await write(valid);
		expect(await run(["validate"])).toEqual({
			code: 0,
			stdout: "cluster.yaml is valid: cluster demo, 3 voters.\n",
			stderr: "",
		});
	});

	it("keeps warnings on stderr", async () => {
		await write(valid.replace(", n3", ""));
		const { code, stdout, stderr } = await run(["validate", "--json"]);
		expect(JSON.parse(stdout).inventory.nodes).toHaveLength(2);
		expect(stderr).toMatch(/^Warning: cluster\.yaml:3:8 2 voters survive/);
		expect(code).toBe(0);
	});

	it("names every mistake and ends with 2", async () => {
		await write("naem: demo\nid: demo-1\nnodes: [n1, n2, n2]\n");
		const { code, stdout, stderr } = await run(["validate"]);
		expect(stderr).toBe(
			[
				"Error: cluster.yaml has 3 mistakes.",
				'  cluster.yaml:1:1 "name" is missing at the top level; it must be text',
				'  cluster.yaml:1:1 unknown key "naem"; did you mean "name"?',
				'  cluster.yaml:3:17 the node id "n2" is there twice (first at cluster.yaml:3:13); every node needs its own',
				"State: nothing was touched.",
				"Next: correct them and give the command again",
				"",
			].join("\n"),
		);
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
	});

	it("gives the mistakes as JSON, YAML and NDJSON with the same code", async () => {
		await write("name: demo\n");
		const json = await run(["validate", "--json"]);
		const yaml = await run(["validate", "-o", "yaml"]);
		const ndjson = await run(["validate", "-o", "ndjson"]);
		const report = JSON.parse(json.stdout);
		expect(report.error.problems).toHaveLength(2);
		expect(parseYaml(yaml.stdout)).toEqual(report);
		expect(ndjson.stdout.trimEnd().split("\n")).toHaveLength(1);
		expect(JSON.parse(ndjson.stdout)).toEqual({
			version: 1,
			type: "error",
			...report,
		});
		expect([json.code, yaml.code, ndjson.code]).toEqual([2, 2, 2]);
		expect(json.stderr + yaml.stderr + ndjson.stderr).toBe("");
	});

	it("reads stdin for -c -, and the file that RAFTCTL_CONFIG names", async () => {
		const piped = await run(["validate", "-c", "-"], { stdin: valid });
		expect(piped.stdout).toBe("stdin is valid: cluster demo, 3 voters.\n");
		await writeFile(join(directory, "other.yaml"), valid);
		const named = await run(["validate"], {
			environment: { RAFTCTL_CONFIG: "other.yaml" },
		});
		expect(named.stdout).toContain("other.yaml is valid");
	});

	it("leads to init when there is no file", async () => {
		const { code, stderr } = await run(["validate"]);
		expect(stderr).toContain("raftctl init");
		expect(code).toBe(2);
	});

	it("colours for FORCE_COLOR, and not when NO_COLOR is there too", async () => {
		const forced = await run(["validate"], {
			environment: { FORCE_COLOR: "1" },
		});
		expect(forced.stderr).toContain(escapeCode);
		const both = await run(["validate"], {
			environment: { FORCE_COLOR: "1", NO_COLOR: "1" },
		});
		expect(both.stderr).not.toContain(escapeCode);
	});

	it("tells the causes for --verbose", async () => {
		const { stderr } = await run(["validate", "--verbose"]);
		expect(stderr).toContain("caused by: ENOENT");
	});
});

describe("raftctl init", () => {
	it("writes a valid file and its schema, and says what comes next", async () => {
		const { code, stdout } = await run(["init", "--name", "orders"]);
		expect(stdout).toBe(
			"Wrote cluster.yaml: cluster orders, nodes n1, n2, n3, applications at 127.0.0.1:7100.\nNext: raftctl up\n",
		);
		expect(code).toBe(0);
		expect(await run(["validate"])).toMatchObject({ code: 0, stderr: "" });
		await stat(join(directory, ".raftctl/cluster.schema.json"));
	});

	it("gives every cluster another id", async () => {
		const ids = await Promise.all(
			["a.yaml", "b.yaml"].map(async (file) => {
				const { stdout } = await run(["init", "-c", file, "--json"]);
				return JSON.parse(stdout).id;
			}),
		);
		expect(new Set(ids).size).toBe(2);
	});

	it("never replaces a file", async () => {
		await write("mine\n");
		const { code, stderr } = await run(["init"]);
		expect(stderr).toContain("cluster.yaml is there already");
		expect(code).toBe(2);
		expect(await readFile(join(directory, "cluster.yaml"), "utf8")).toBe(
			"mine\n",
		);
	});

	it("refuses a name that no cluster can have", async () => {
		const { code } = await run(["init", "--name", "two words"]);
		expect(code).toBe(2);
		expect(await run(["validate"])).toMatchObject({ code: 2 });
	});
});

describe("raftctl at a signal", () => {
	let silent: Server;

	/** A balancer that takes connections and never says a word. */
	beforeEach(async () => {
		silent = createServer((socket) => socket.on("error", () => {}).resume());
		await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
		const { port } = silent.address() as AddressInfo;
		await write(
			`${valid}balancer: { kind: embedded, listen: "127.0.0.1:${port}" }\n`,
		);
	});

	afterEach(() => new Promise((done) => silent.close(done)));

	/** Signals once the program has connected: from then on it is in the middle of something. */
	function signalled(signal: NodeJS.Signals): Promise<Outcome> {
		return run(["kv", "get", "a", "--timeout", "1h"], {
			during: (child) => silent.once("connection", () => child.kill(signal)),
		});
	}

	it.each([
		["SIGINT", 130, "interrupted by Ctrl-C"],
		["SIGTERM", 143, "ended by SIGTERM"],
	] as const)("ends in order after %s, with %i", async (signal, code, said) => {
		const outcome = await signalled(signal);
		expect(outcome.stderr).toContain("Stopping in good order");
		expect(outcome.stderr).toContain(`Error: ${said}.`);
		expect(outcome).toMatchObject({ code, stdout: "" });
	});
});
