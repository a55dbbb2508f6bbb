import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually, LocalCluster } from "./local-cluster.js";

const limitMs = 240_000;
const root = resolve(import.meta.dirname, "../..");
const portBase = 23_300;
let cluster: LocalCluster;

/** The bank of the templates: level 2 adds a memo to a transfer. Its first release knows level 1 alone. */
async function bankReleases(): Promise<void> {
	const newer = await readFile(
		join(root, "templates/machine/machine.js"),
		"utf8",
	);
	const sources = {
		"1.0.0": newer.replace(
			"reads: [1, 2], writes: 2",
			"reads: [1, 1], writes: 1",
		),
		"2.0.0": newer,
		// It loads wherever it is looked at, and not where it is to run.
		"2.1.0": newer.replace(
			"export default",
			'if (process.argv.includes("--config")) throw new Error("upside down");\nexport default',
		),
	};
	for (const [version, source] of Object.entries(sources)) {
		const app = join(cluster.directory, `bank-${version}.js`);
		await writeFile(app, source);
		await cluster.succeed([
			...["release", "build", "--version", version, "--app", app],
			...["--out", archive(version)],
		]);
	}
}

function archive(version: string): string {
	return join(cluster.directory, `bank-${version}.tgz`);
}

/** At the cluster's write level, or at the one that is said. */
async function command(words: object, level?: number) {
	const answer = await fetch(`http://127.0.0.1:${portBase}/v1/command`, {
		method: "POST",
		headers: level === undefined ? {} : { "raftd-level": `${level}` },
		body: JSON.stringify(words),
	});
	await answer.arrayBuffer();
	return answer.status;
}

async function releases() {
	const { nodes } = await cluster.json(["upgrade", "status"]);
	return nodes.map(({ release }: { release: string }) => release);
}

const upgradeTo = (version: string, ...words: string[]) => [
	...["upgrade", "--to", archive(version), "--soak", "200ms", "--yes"],
	...words,
];

beforeAll(async () => {
	cluster = await LocalCluster.create({ portBase });
	// Where an application finds the package that it is written against.
	await mkdir(join(cluster.directory, "node_modules"));
	await symlink(root, join(cluster.directory, "node_modules/raftctl"));
	await bankReleases();
	const text = await readFile(cluster.file, "utf8");
	await writeFile(cluster.file, `${text}\napp: ./bank-1.0.0.js\n`);
	await cluster.succeed(["up"]);
}, limitMs);

afterAll(() => cluster.dispose(), limitMs);

describe("two releases of an application", () => {
	it(
		"go over the nodes one by one, and back, while the cluster writes what both read",
		async () => {
			const rolled = await cluster.succeed(upgradeTo("1.0.0"));
			expect(rolled.stderr).toContain("done     take a snapshot first");
			expect(await releases()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
			await command({ op: "open", account: "ann", amount: "100" });
			await command({ op: "open", account: "bob", amount: "0" });
			await cluster.succeed(upgradeTo("2.0.0", "--node", "n2"));
			expect(await releases()).toEqual(["1.0.0", "2.0.0", "1.0.0"]);
			const early = await cluster.run(["upgrade", "finalize", "--yes"]);
			expect(early.exitCode).toBe(11);
			expect(early.stderr).toContain(
				"n1 runs 1.0.0, which reads up to level 1",
			);
			await cluster.succeed(["transfer-leader", "--to", "n2", "--yes"]);
			const transfer = { op: "transfer", from: "ann", to: "bob", amount: "1" };
			// Whoever leads: the new words must wait for the second phase.
			expect(await command(transfer)).toBe(200);
			expect(await command({ ...transfer, memo: "x" }, 2)).toBe(409);
			await cluster.succeed(["upgrade", "rollback", "--yes"]);
			expect(await releases()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
			expect(await command(transfer)).toBe(200);
		},
		limitMs,
	);

	it(
		"takes a node back that does not become ready, and touches no other",
		async () => {
			const failed = await cluster.run(upgradeTo("2.1.0"));
			expect(failed.exitCode).toBe(14);
			expect(failed.stderr).toContain("it runs 1.0.0 again");
			expect(failed.stderr).toContain("upside down");
			expect(await releases()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
			await cluster.succeed(["operation", "abort", "--yes"]);
			await eventually(async () => {
				const { stdout } = await cluster.run(["status", "--json"]);
				const { nodes } = JSON.parse(stdout);
				return nodes.every(({ ready }: { ready: boolean }) => ready);
			}, "every node is ready");
		},
		limitMs,
	);

	it(
		"goes on where a killed operator left it, with no node restarted twice",
		async () => {
			const { child, done } = cluster.start([
				...upgradeTo("2.0.0"),
				...["-o", "ndjson"],
			]);
			await new Promise<void>((resolve) => {
				child.stdout?.on("data", (chunk: Buffer) => {
					if (!/"step-finished","step":"n\d\/soak"/.test(chunk.toString()))
						return;
					child.kill("SIGKILL");
					resolve();
				});
				child.once("exit", () => resolve());
			});
			await done;
			const before = await cluster.json(["upgrade", "status"]);
			const [first] = before.nodes.filter(
				({ release }: { release: string }) => release === "2.0.0",
			);
			const pid = await cluster.pidOf(first.node);
			await cluster.releaseLock();
			await cluster.succeed(["operation", "resume", "--yes"]);
			expect(await releases()).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
			expect(await cluster.pidOf(first.node)).toBe(pid);
		},
		limitMs,
	);

	it(
		"lets the new words in once it is finalized, and no older release afterwards",
		async () => {
			const transfer = { op: "transfer", from: "ann", to: "bob", amount: "1" };
			const report = await cluster.json(["upgrade", "finalize", "--yes"]);
			expect(report).toMatchObject({ level: 2 });
			expect(await command({ ...transfer, memo: "rent" }, 2)).toBe(200);
			const back = await cluster.run(["upgrade", "rollback", "--yes"]);
			expect(back.exitCode).toBe(11);
			expect(back.stderr).toContain("the cluster writes level 2; 1.0.0");
			expect(await releases()).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
			expect(
				await cluster.json(["upgrade", "finalize", "--yes"]),
			).toMatchObject({ level: 2, plan: [] });
		},
		limitMs,
	);

	it("is refused for a file that is no release, and a version that nobody has", async () => {
		const file = join(cluster.directory, "cluster.yaml");
		const none = await cluster.run(["upgrade", "--to", file, "--yes"]);
		expect(none.exitCode).toBe(11);
		expect(none.stderr).toContain("is no release");
		const unknown = await cluster.run(["upgrade", "--to", "9.9.9", "--yes"]);
		expect(unknown.exitCode).toBe(11);
		expect(unknown.stderr).toContain("the release 9.9.9 is not on local");
	});
});
