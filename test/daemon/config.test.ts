import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readNodeConfig } from "../../src/daemon/config.js";
import type { OperatorError } from "../../src/errors.js";

let directory: string;
beforeAll(() => {
	directory = mkdtempSync(join(tmpdir(), "raftd-config-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const sound = `cluster:
  id: c-1
  name: shop
node: n1
data: /var/lib/raftd/n1
listen:
  peer: 127.0.0.1:7000
  client: 127.0.0.1:7001
  admin: "[::1]:7002"
members:
  - {id: n1, role: voter, peer: "127.0.0.1:7000", client: "127.0.0.1:7001", admin: "127.0.0.1:7002"}
  - {id: n2, role: voter, peer: "127.0.0.1:7010", client: "127.0.0.1:7011", admin: "127.0.0.1:7012"}
`;

function file(text: string): string {
	const path = join(directory, "node.yaml");
	writeFileSync(path, text);
	return path;
}

async function mistakes(text: string): Promise<readonly string[]> {
	return await readNodeConfig(file(text)).then(
		() => {
			throw new Error("the configuration was accepted");
		},
		(error: OperatorError) => {
			expect(error.kind).toBe("config");
			return error.problems;
		},
	);
}

describe("a node's configuration", () => {
	it("takes every version that a release can have", async () => {
		const text = `${sound}release: 1.4.0+7\n`;
		expect((await readNodeConfig(file(text))).release).toBe("1.4.0+7");
	});

	it("has a default for everything that a cluster does not have to decide", async () => {
		const config = await readNodeConfig(file(sound));
		expect(config).toMatchObject({
			node: "n1",
			timing: {
				electionTimeoutMs: 1000,
				heartbeatIntervalMs: 100,
				transferTimeoutMs: 1000,
				diskStallMs: 2000,
			},
			drain: { announceMs: 1000, closeOverMs: 3000, timeoutMs: 15_000 },
			log: { level: "info" },
			limits: {},
		});
		expect(config.listen.agent).toBeUndefined();
	});

	it("keeps the defaults of a section that is given in part", async () => {
		const config = await readNodeConfig(
			file(`${sound}timing: {heartbeatIntervalMs: 50}\n`),
		);
		expect(config.timing).toMatchObject({
			electionTimeoutMs: 1000,
			heartbeatIntervalMs: 50,
		});
	});

	it("is refused with the place of every mistake", async () => {
		const problems = await mistakes(
			`${sound.replace("peer: 127.0.0.1:7000\n", "peer: 7000\n").replace("/var", "var")}colour: red\n`,
		);
		expect(problems).toHaveLength(3);
		expect(problems.join("\n")).toMatch(/node\.yaml:5:7.*absolute path/);
		expect(problems.join("\n")).toMatch(/node\.yaml:7:9.*listen\.peer/);
		expect(problems.join("\n")).toMatch(/node\.yaml:13:1.*colour/);
	});

	it("must have its own node among the members", async () => {
		const problems = await mistakes(sound.replace("node: n1", "node: n9"));
		expect(problems).toHaveLength(1);
		expect(problems[0]).toContain("n9, which is not among the members");
	});

	it("must not name a member or an address twice", async () => {
		expect(await mistakes(sound.replace("id: n2", "id: n1"))).toHaveLength(1);
		const [problem] = await mistakes(sound.replace("7012", "7002"));
		expect(problem).toContain("127.0.0.1:7002, as that of n1 is");
	});

	it("must have a voter", async () => {
		const learners = sound.replaceAll("role: voter", "role: learner");
		expect((await mistakes(learners))[0]).toContain("must have a voter");
	});

	it("must leave room for a lost heartbeat", async () => {
		const [problem] = await mistakes(
			`${sound}timing: {electionTimeoutMs: 200}\n`,
		);
		expect(problem).toContain("at least three heartbeat intervals");
	});

	it("is refused when it is not there", async () => {
		const missing = readNodeConfig(join(directory, "nothing.yaml"));
		await expect(missing).rejects.toMatchObject({
			kind: "config",
			next: expect.stringContaining("raftd --config node.yaml"),
		});
	});
});
