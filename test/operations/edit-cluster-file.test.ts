import {
	chmod,
	mkdir,
	mkdtemp,
	readdir,
	readFile,
	rm,
	stat,
	symlink,
	writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ClusterFileEdit } from "../../src/config/edits.js";
import { loadInventory, parseInventory } from "../../src/config/load.js";
import { editClusterFile } from "../../src/operations/edit-cluster-file.js";
import { inventoryOf } from "./operating.js";

const text = "name: demo\nid: demo-1\n\n# who\nnodes: [n1, n2, n3]\n";
const edits: readonly ClusterFileEdit[] = [{ type: "remove-node", id: "n2" }];

let directory: string;
let path: string;

beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "raftctl-"));
	path = join(directory, "cluster.yaml");
	await writeFile(path, text, { mode: 0o640 });
	await chmod(path, 0o640);
});

afterEach(() => rm(directory, { recursive: true }));

function load() {
	return loadInventory("cluster.yaml", directory);
}

describe("a cluster file that is edited", () => {
	it("is replaced whole, keeps its mode, and leaves nothing beside it", async () => {
		const inventory = await load();
		expect(await editClusterFile(inventory, edits)).toEqual({
			...{ changed: true, instructions: [] },
		});
		expect(await readFile(path, "utf8")).toBe(text.replace(" n2,", ""));
		expect((await stat(path)).mode & 0o777).toBe(0o640);
		expect(await readdir(directory)).toEqual(["cluster.yaml"]);
	});

	it("is done the second time", async () => {
		const inventory = await load();
		await editClusterFile(inventory, edits);
		expect(await editClusterFile(inventory, edits)).toEqual({
			...{ changed: false, instructions: [] },
		});
	});

	it("keeps what somebody else changed in it since it was read", async () => {
		const inventory = await load();
		await writeFile(path, text.replace("# who", "# who does"));
		await editClusterFile(inventory, edits);
		expect(await readFile(path, "utf8")).toBe(
			text.replace("# who", "# who does").replace(" n2,", ""),
		);
	});

	it("stays a symbolic link, and the file behind it is edited", async () => {
		await mkdir(join(directory, "real"));
		const real = join(directory, "real", "c.yaml");
		await writeFile(real, text);
		await rm(path);
		await symlink(real, path);
		expect(await editClusterFile(await load(), edits)).toMatchObject({
			changed: true,
		});
		expect(await readFile(real, "utf8")).not.toContain("n2");
		expect((await readdir(directory)).sort()).toEqual(["cluster.yaml", "real"]);
	});

	it.each([
		["has another cluster's id by now", text.replace("demo-1", "demo-2")],
		["is no YAML by now", `${text}[`],
		["is not UTF-8 by now", Buffer.from([0xff, 0xfe, 0x41])],
	])("is let be when it %s", async (_, now) => {
		const inventory = await load();
		await writeFile(path, now);
		const { changed, instructions } = await editClusterFile(inventory, edits);
		expect(changed).toBe(false);
		expect(instructions).toEqual([
			expect.stringMatching(/^cluster.yaml was not changed: ./),
			"under nodes, take out n2",
		]);
		expect(await readFile(path)).toEqual(Buffer.from(now));
	});

	it("is let be when it is gone", async () => {
		const inventory = await load();
		await rm(path);
		expect((await editClusterFile(inventory, edits)).changed).toBe(false);
		expect(await readdir(directory)).toEqual([]);
	});
});

describe("a cluster file that cannot be written", () => {
	const diff = [
		"--- cluster.yaml",
		"+++ cluster.yaml",
		"@@ -2,4 +2,4 @@",
		" id: demo-1",
		" ",
		" # who",
		"-nodes: [n1, n2, n3]",
		"+nodes: [n1, n3]",
	];

	it("for it is read-only stays so, and the difference is shown", async () => {
		await chmod(path, 0o440);
		const { changed, instructions } = await editClusterFile(
			...[await load(), edits],
		);
		expect(changed).toBe(false);
		expect(instructions).toEqual([
			"cluster.yaml was not changed: it is read-only",
			"in cluster.yaml:",
			...diff,
		]);
		expect(await readFile(path, "utf8")).toBe(text);
	});

	it("for it was read from stdin is shown the difference to", async () => {
		const inventory = parseInventory(text, { source: "-", directory });
		expect(await editClusterFile(inventory, edits)).toEqual({
			changed: false,
			instructions: [
				"in the cluster file:",
				...diff.map((line) => line.replace("cluster.yaml", "-")),
			],
		});
	});

	it("for nobody knows its text is told in words, and no file is looked for", async () => {
		const inventory = inventoryOf({ n1: "voter", n2: "voter" });
		const [node] = inventory.nodes;
		const words = await editClusterFile(inventory, [
			...edits,
			...(node === undefined
				? []
				: [{ type: "add-node" as const, node: { ...node, id: "n4" } }]),
			{ type: "set-role", id: "n1", role: "learner" },
			{ type: "set-cluster-id", clusterId: "c2" },
		]);
		expect(words).toEqual({
			changed: false,
			instructions: [
				"in the cluster file:",
				"under nodes, take out n2",
				"under nodes, write: { id: n4, peer: n1:1, client: n1:2, admin: n1:3, data: /data/n1 }",
				'under nodes, give n1 "role: learner"',
				'write "id: c2"',
			],
		});
	});
});
