import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Service } from "../../../src/hosts/host.js";
import { localHost } from "../../../src/hosts/local.js";
import type { OperationLock } from "../../../src/operations/lock.js";
import { setAsideDataStep } from "../../../src/operations/steps/set-aside-data.js";
import { operating } from "../operating.js";

let ground: string;
let data: string;
beforeEach(() => {
	ground = mkdtempSync(join(tmpdir(), "raftctl-aside-"));
	data = join(ground, "n4");
	mkdirSync(join(data, "wal"), { recursive: true });
	writeFileSync(join(data, "wal/0001.wal"), "x");
	mkdirSync(join(data, "lost+found"));
});
afterEach(() => rmSync(ground, { recursive: true, force: true }));

const own = { clusterId: "c1", nodeId: "n4", incarnation: "i-1" };

function identity(says: object): void {
	writeFileSync(join(data, "identity.json"), JSON.stringify(says));
}

/** Of a node that is no member and does not run; its files are on this machine's disk. */
function step(aside: string | null, incarnation = "i-1") {
	const { context } = operating();
	const [pattern] = context.inventory.nodes;
	if (pattern === undefined) throw new Error("no nodes");
	const node = { ...pattern, id: "n4", dataDirectory: data };
	const machines = { ...context.machines, host: async () => localHost() };
	const { signal } = new AbortController();
	const lock = { signal, requireFresh: async () => undefined };
	const service = { state: async () => ({ running: false, exit: null }) };
	return setAsideDataStep(
		{ ...context, machines } as typeof context,
		lock as unknown as OperationLock,
		{ node, incarnation, aside, service: service as unknown as Service },
	);
}

async function run(made: ReturnType<typeof step>): Promise<string | null> {
	const reason = (await made.isDone?.()) ?? null;
	if (reason !== null) return reason;
	await made.guard?.();
	await made.run(new AbortController().signal, () => undefined);
	return null;
}

describe("discarding a node's data", () => {
	it("empties the directory and leaves it where it is", async () => {
		identity(own);
		expect(await run(step(null))).toBeNull();
		expect(readdirSync(data)).toEqual(["lost+found"]);
		expect(await run(step(null))).toContain("not there any more");
	});

	it("removes nothing that does not say whose it is", async () => {
		const before = readdirSync(data).sort();
		expect(await run(step(null, ""))).toBe(
			"nobody can say whose data lies there",
		);
		expect(readdirSync(data).sort()).toEqual(before);
		writeFileSync(join(data, "identity.json"), "{");
		expect(await run(step(null, ""))).toBe(
			"nobody can say whose data lies there",
		);
		expect(existsSync(join(data, "wal/0001.wal"))).toBe(true);
	});

	it("removes nothing of another cluster, another node or a newer disk", async () => {
		for (const other of [
			{ ...own, clusterId: "c2" },
			{ ...own, nodeId: "n5" },
			{ ...own, incarnation: "i-2" },
		]) {
			identity(other);
			expect(await run(step(null))).not.toBeNull();
			expect(existsSync(join(data, "wal/0001.wal"))).toBe(true);
		}
	});

	it("goes on where it was cut off: what says whose data it is goes last", async () => {
		identity(own);
		rmSync(join(data, "wal"), { recursive: true });
		expect(await run(step(null))).toBeNull();
		expect(readdirSync(data)).toEqual(["lost+found"]);
	});
});

describe("setting a node's data aside", () => {
	const aside = () => `${data}.before`;

	it("keeps all of it, and leaves an empty directory", async () => {
		identity(own);
		expect(await run(step(aside()))).toBeNull();
		expect(existsSync(join(aside(), "wal/0001.wal"))).toBe(true);
		expect(readdirSync(data)).toEqual([]);
		expect(await run(step(aside()))).toContain("not there any more");
	});

	it("makes the directory that an attempt which was cut off had only moved", async () => {
		identity(own);
		renameSync(data, aside());
		expect(await run(step(aside()))).toBeNull();
		expect(readdirSync(data)).toEqual([]);
	});

	it("moves nothing of another cluster", async () => {
		identity({ ...own, clusterId: "c2" });
		expect(await run(step(aside()))).toBe(
			"the data of another node lies there",
		);
		expect(existsSync(aside())).toBe(false);
	});
});
