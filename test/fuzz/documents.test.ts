import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadInventory, parseInventory } from "../../src/config/load.js";
import { starterClusterFile } from "../../src/config/starter.js";
import { readNodeConfig } from "../../src/daemon/config.js";
import { OperatorError } from "../../src/errors.js";
import { ends, fuzz, outcome } from "./fuzz.js";
import { garbage, mutated } from "./mutations.js";
import { mutatedYaml } from "./yaml-mutations.js";

const starter = starterClusterFile({
	name: "demo",
	id: "demo-1",
	nodes: 3,
	portBase: 7100,
	schema: "./schema.json",
});

const full = `name: orders
id: orders-1
state: ./var
portBase: 8000
nodes:
  - id: alpha
    role: learner
    peer: 127.0.0.1:9001
    client: localhost:9002
    admin: "[::1]:9003"
    agent: 127.0.0.1:9004
    data: /var/lib/orders
  - n1
  - {id: n2, host: local}
balancer:
  kind: embedded
  checkInterval: 50ms
timing: &clocks
  electionTimeout: 1s
  heartbeatInterval: 100ms
roll:
  settle: 1.5s
  closeOver: 0s
app: 'machine.mjs'
`;

const nodeConfig = `cluster: {id: c1, name: demo}
node: n1
data: /var/lib/n1
listen:
  peer: 127.0.0.1:7111
  client: 127.0.0.1:7112
  admin: 127.0.0.1:7113
members:
  - {id: n1, peer: "127.0.0.1:7111", client: "127.0.0.1:7112", admin: "127.0.0.1:7113"}
  - {id: n2, role: learner, peer: "127.0.0.1:7121", client: "127.0.0.1:7122", admin: "127.0.0.1:7123"}
timing: {electionTimeoutMs: 1000, heartbeatIntervalMs: 100}
drain: {announceMs: 0}
limits: {maxPending: 7}
log: {level: debug}
`;

const seeds = [starter, full, nodeConfig];

/** An inventory, or a mistake of the file with its place: nothing else may come of a text. */
function parsed(text: string) {
	const result = outcome(
		() =>
			ends(() =>
				parseInventory(text, { source: "c.yaml", directory: "/clusters" }),
			),
		OperatorError,
	);
	if ("refused" in result) expectMistake(result.refused, "c.yaml");
	else expect(Object.isFrozen(result.value.nodes)).toBe(true);
	return result;
}

function expectMistake(error: unknown, source: string): void {
	expect(error).toBeInstanceOf(OperatorError);
	const { kind, problems } = error as OperatorError;
	expect(kind).toBe("config");
	expect(problems.length).toBeGreaterThan(0);
	for (const problem of problems) {
		expect(problem.startsWith(`${source}:`)).toBe(true);
		expect(problem.slice(source.length)).toMatch(/^:[1-9]\d*:[1-9]\d* \S/);
		// One line, and nothing that would speak to the terminal instead of to the person.
		expect(problem).not.toMatch(/\p{Cc}|\p{Surrogate}/u);
		expect(problem.length).toBeLessThan(2_000);
	}
}

describe("a cluster file of whatever text", () => {
	fuzz("is an inventory, or a mistake with its place", 800, (random) => {
		const text = mutatedYaml(random.pick(seeds), random, random.pick(seeds));
		parsed(text);
	});

	fuzz("of noise is a mistake with its place", 200, (random) => {
		const text = garbage(random, random.below(200)).toString(
			random.pick(["latin1", "utf8"] as const),
		);
		expect(parsed(text)).toHaveProperty("refused");
	});
});

/** 1 MiB of one thing, as the longest file that is read at all. */
const megabyte = (unit: string | ((at: number) => string), head = "") => {
	const parts = [head];
	for (let bytes = head.length, at = 0; bytes < 2 ** 20; at += 1) {
		const part = typeof unit === "string" ? unit : unit(at);
		parts.push(part);
		bytes += part.length;
	}
	return parts.join("").slice(0, 2 ** 20);
};

describe("a cluster file of a whole megabyte", () => {
	it.each([
		["keys", megabyte((at) => `k${at}:\n`)],
		["complex keys", megabyte((at) => `? k${at}\n`)],
		["keys within braces", megabyte((at) => `k${at},`, "name: {")],
		["aliases", `${megabyte("*a,", "a: &a 1\nb: [")}]`],
		["anchors", `${megabyte((at) => `&a${at} 1,`, "b: [")}]`],
		["tags", megabyte("!a ")],
		["directives", megabyte("%a b\n")],
		["documents", megabyte("---\n")],
		["items", `${megabyte("1,", "nodes: [")}]`],
		["dashes", megabyte("- 1\n")],
		["mappings", `${megabyte("{x: 1},", "nodes: [").slice(0, 1_048_572)}]`],
		["brackets", megabyte("[")],
		["wrong escapes", megabyte("\\z", 'name: "')],
		["escapes", `${megabyte("\\t", 'name: "')}"`],
		["quotes", megabyte("''", "name: '")],
		["one scalar", megabyte("a", "name: ")],
		["one key", megabyte("a")],
		["one quoted key", `${megabyte("a", '"')}": 1`],
		["one anchor", megabyte("a", "name: *")],
		["one tag", `${megabyte("a", "name: !<")}> x`],
		["a folded scalar", megabyte(" a\n", "name: >\n")],
		["blank lines", megabyte("\n", "name: 'a")],
		["zeros", megabyte("\0")],
		["colons", megabyte(": ")],
		["digits", megabyte("9", "portBase: ")],
		["a duration", megabyte("9", "timing: {electionTimeout: ")],
	])("of %s is refused, and in time", (_what, text) => {
		expect(parsed(text)).toHaveProperty("refused");
	});

	it("in which aliases repeat aliases is refused", () => {
		const levels = Array.from({ length: 20 }, (_, level) => {
			const previous = `*l${level - 1}, `.repeat(10);
			return `l${level}: &l${level} [${level === 0 ? "lol" : previous}]\n`;
		});
		expect(parsed(levels.join(""))).toHaveProperty("refused");
	});
});

describe("a file of whatever bytes", () => {
	let directory: string;
	beforeAll(async () => {
		directory = await mkdtemp(join(tmpdir(), "fuzz-documents-"));
	});
	afterAll(() => rm(directory, { recursive: true }));

	fuzz(
		"is a cluster file, or a mistake with its place",
		150,
		async (random) => {
			const path = join(directory, "cluster.yaml");
			await writeFile(path, mutated(Buffer.from(full), random));
			await loadInventory(path, directory).catch((error) =>
				expectMistake(error, path),
			);
		},
	);

	fuzz("is a node's file, or a mistake with its place", 300, async (random) => {
		const path = join(directory, "node.yaml");
		const text = mutatedYaml(nodeConfig, random, random.pick(seeds));
		const bytes = random.chance(0.5)
			? mutated(Buffer.from(nodeConfig), random)
			: Buffer.from(text);
		await writeFile(path, bytes);
		await readNodeConfig(path).catch((error) => expectMistake(error, path));
	});
});
