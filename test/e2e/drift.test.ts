import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LocalCluster } from "./local-cluster.js";

const limitMs = 90_000;
let cluster: LocalCluster;

beforeAll(async () => {
	cluster = await LocalCluster.create({ portBase: 19_700 });
	await cluster.succeed(["up"]);
}, limitMs);

afterAll(() => cluster.dispose(), limitMs);

async function differences() {
	const { exitCode, stdout } = await cluster.run(["diff", "--json"]);
	const report = JSON.parse(stdout) as {
		differences?: { about: string; node: string; next: string[] }[];
	};
	return { exitCode, found: report.differences ?? [] };
}

describe("a cluster file beside a cluster of real processes", () => {
	it(
		"says what is, until a node is written into it; then the command that diff names ends the difference",
		async () => {
			expect(await differences()).toEqual({ exitCode: 0, found: [] });
			const before = await readFile(cluster.file, "utf8");
			const after = before.replace(
				"n3]",
				"n3, {id: n4, role: learner}] # more",
			);
			await writeFile(cluster.file, after);
			const { exitCode, found } = await differences();
			expect(exitCode).toBe(3);
			expect(found).toEqual([
				expect.objectContaining({ about: "member", node: "n4" }),
			]);
			const [command = ""] = found[0]?.next ?? [];
			await cluster.succeed([...command.split(" ").slice(1), "--yes"]);
			expect(await differences()).toEqual({ exitCode: 0, found: [] });
			expect(await readFile(cluster.file, "utf8")).toBe(after);
		},
		limitMs,
	);

	it(
		"lets up start what was founded and what was added, and nothing that is in the file only",
		async () => {
			await cluster.succeed(["down", "--yes"]);
			const text = await readFile(cluster.file, "utf8");
			await writeFile(cluster.file, text.replace("] # more", ", n7] # more"));
			const report = await cluster.json(["up"]);
			expect(report).toMatchObject({
				started: ["n1", "n2", "n3", "n4", "balancer"],
				notMembers: ["n7"],
			});
			await expect(cluster.pidOf("n7")).rejects.toThrow("no pid file");
			const { exitCode, found } = await differences();
			expect(exitCode).toBe(3);
			expect(found.map(({ about, node }) => `${about} ${node}`)).toEqual([
				"member n7",
			]);
			await writeFile(cluster.file, text);
			const { found: left } = await differences();
			expect(left.map(({ about, node }) => `${about} ${node}`)).toEqual([
				"backend n7",
			]);
			await cluster.succeed(["up"]);
			expect(await differences()).toEqual({ exitCode: 0, found: [] });
		},
		limitMs,
	);

	it(
		"cannot be compared where no quorum answers, and that is another exit code",
		async () => {
			await cluster.signal("n1", "SIGKILL");
			await cluster.signal("n2", "SIGKILL");
			const { exitCode, stdout } = await cluster.run(["diff", "--json"]);
			expect(exitCode).toBe(20);
			expect(JSON.parse(stdout).error.kind).toBe("unreachable");
		},
		limitMs,
	);
});
