import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { SnapshotOnDisk } from "../../src/daemon/offline/snapshot-file.js";
import { realDisk } from "../../src/storage/real-disk.js";
import { FileWriter } from "../../src/storage/snapshots/file-writer.js";
import { LocalCluster } from "./local-cluster.js";

let cluster: LocalCluster;
afterEach(() => cluster.dispose());

const limitMs = 180_000;

/** A team's own machine: it keeps what it is told. */
const ledger = `export default {
	name: "ledger",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ lines: [] }),
	apply(state, command) {
		state.lines.push(Buffer.from(command).toString("utf8"));
		return new Uint8Array(0);
	},
	query: (state) => Buffer.from(JSON.stringify(state.lines)),
	snapshot: (state) => [Buffer.from(JSON.stringify(state))],
	restore: (chunks) => JSON.parse(Buffer.concat([...chunks]).toString("utf8")),
};
`;

const path = (name: string) => join(cluster.directory, name);
const name = () => `e2e-${cluster.portBase}`;

/** The same content under another description, as another release or another machine would have written it. */
function described(file: string, as: string, change: object): void {
	const saved = new SnapshotOnDisk(path(file));
	const manifest = saved.manifest();
	const writer = new FileWriter({
		place: {
			...{ disk: realDisk, directory: cluster.directory, nodeId: "n1" },
			clusterId: manifest.clusterId,
		},
		...{ description: { ...manifest, ...change }, id: randomBytes(16) },
		...{ chunkBytes: 1000, names: { temporary: `${as}.part`, whole: as } },
	});
	for (const chunk of saved.content(manifest)) writer.write(chunk);
	writer.finish();
}

/** Names, sizes and contents of all that the cluster has on this machine; locks and logs of raftctl aside. */
function everything(): Record<string, string> {
	const below = path(".raftctl");
	const files = readdirSync(below, { recursive: true, encoding: "utf8" })
		.filter((file) => statSync(join(below, file)).isFile())
		.filter((file) => !/(^|\/)(pid|log|operations?|locks?)(\/|$)/.test(file))
		.map((file) => [file, readFileSync(join(below, file))] as const);
	const hashed = [
		...files,
		["cluster.yaml", readFileSync(cluster.file)] as const,
	].map(([file, bytes]): [string, string] => [
		file,
		createHash("sha256").update(bytes).digest("hex"),
	]);
	return Object.fromEntries(hashed);
}

const restore = (file: string) =>
	cluster.run(["snapshot", "restore", file, "--yes", "--erase", name()]);

function query(): Promise<string> {
	return new Promise((resolve, reject) => {
		const port = cluster.portBase + 11;
		const asked = http.request(
			{ port, host: "127.0.0.1", path: "/v1/query", method: "POST" },
			(answer) => {
				let text = "";
				answer.on("data", (chunk) => {
					text += chunk;
				});
				answer.on("end", () => resolve(text));
			},
		);
		asked.on("error", reject);
		asked.setHeader("content-type", "application/json");
		asked.end("{}");
	});
}

function command(text: string): Promise<number> {
	return new Promise((resolve, reject) => {
		const port = cluster.portBase + 11;
		const asked = http.request(
			{ port, host: "127.0.0.1", path: "/v1/command", method: "POST" },
			(answer) => {
				answer.resume();
				answer.on("end", () => resolve(answer.statusCode ?? 0));
			},
		);
		asked.on("error", reject);
		asked.setHeader("content-type", "application/json");
		asked.end(JSON.stringify(text));
	});
}

describe("a file that must not be restored", () => {
	it(
		"is detected, whatever is wrong with it, before anything is changed",
		async () => {
			cluster = await LocalCluster.create({ portBase: 24_700, nodes: 1 });
			await cluster.succeed(["up"]);
			await cluster.succeed(["kv", "put", "key", "value"]);
			await cluster.succeed(["snapshot", "save", "--file", "good"]);
			await cluster.succeed(["down", "--yes"]);
			const whole = readFileSync(path("good"));
			const flipped = Buffer.from(whole);
			flipped[flipped.length >> 1] = (flipped[flipped.length >> 1] ?? 0) ^ 1;
			writeFileSync(path("flipped"), flipped);
			writeFileSync(path("short"), whole.subarray(0, -1));
			writeFileSync(path("shorter"), whole.subarray(0, 100));
			writeFileSync(path("empty"), "");
			writeFileSync(path("foreign"), "PGDMP".repeat(1000));
			const release = "9.9.9";
			described("good", "newer", { level: 200, release });
			described("good", "older", { level: 0, release: "0.0.1" });
			described("good", "ledger", { machine: "ledger", release });
			const before = everything();
			for (const [file, words] of [
				["flipped", /at offset \d+/],
				["short", /at offset \d+/],
				["shorter", /at offset \d+/],
				["empty", /at offset 0/],
				["foreign", /at offset 0: it does not begin like a snapshot/],
				["newer", /is of level 200; this release.*[\s\S]*9\.9\.9, or a later/],
				["older", /is of level 0; this release[\s\S]*use release 0\.0\.1/],
				["ledger", /is of machine ledger, and not of kv/],
			] as const) {
				const { exitCode, stderr } = await restore(file);
				expect([file, exitCode, stderr]).toEqual([
					...[file, 11, expect.stringMatching(words)],
				]);
				const verified = await cluster.run(["snapshot", "verify", file]);
				expect([file, verified.exitCode]).toEqual([file, 11]);
				expect(everything()).toEqual(before);
			}
			const none = await restore("none");
			expect(none.exitCode).toBe(2);
			expect(none.stderr).toContain("there is no file");
			expect(everything()).toEqual(before);
			await cluster.succeed(["up"]);
			const { stdout } = await cluster.succeed(["kv", "get", "key"]);
			expect(stdout).toContain("value");
		},
		limitMs,
	);
});

describe("a machine of a team's own", () => {
	it(
		"gets its state back, and its file is refused where another machine runs",
		async () => {
			cluster = await LocalCluster.create({ portBase: 24_800, nodes: 1 });
			const bundled = readFileSync(cluster.file, "utf8");
			writeFileSync(path("ledger.mjs"), ledger);
			writeFileSync(cluster.file, `${bundled}\napp: ledger.mjs\n`);
			await cluster.succeed(["up"]);
			expect(await command("first")).toBe(200);
			await cluster.succeed(["snapshot", "save", "--file", "saved"]);
			expect(await command("second")).toBe(200);
			await cluster.succeed(["down", "--yes"]);

			const own = readFileSync(cluster.file, "utf8");
			writeFileSync(cluster.file, bundled);
			const before = everything();
			const refused = await restore("saved");
			expect(refused.exitCode).toBe(11);
			expect(refused.stderr).toContain("is of machine ledger, and not of kv");
			expect(refused.stderr).toContain("Next: ");
			expect(everything()).toEqual(before);

			writeFileSync(cluster.file, own);
			const done = await restore("saved");
			expect([done.exitCode, done.stderr]).toEqual([0, expect.any(String)]);
			const lines = await query();
			expect(lines).toContain("first");
			expect(lines).not.toContain("second");
		},
		limitMs,
	);
});
