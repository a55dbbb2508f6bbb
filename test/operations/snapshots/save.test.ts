import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Engine } from "../../../src/cluster/engine.js";
import { OperatorError } from "../../../src/errors.js";
import { createFile } from "../../../src/operations/snapshots/file-writer.js";
import { listSnapshots } from "../../../src/operations/snapshots/list.js";
import { saveSnapshot } from "../../../src/operations/snapshots/save.js";
import { snapshotBytes } from "../../fakes/fake-engine.js";
import { failureOf, type Operating, operating } from "../operating.js";

let directory: string;
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "raftctl-save-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const save = (
	world: Operating,
	wish: {
		node?: string;
		file?: string;
		engine?: Engine;
		skip?: readonly "alarm"[];
	} = {},
) =>
	saveSnapshot(
		{ ...world.context, engine: wish.engine ?? world.context.engine },
		{
			...{ node: wish.node ?? null, file: wish.file ?? null },
			...{ skip: wish.skip ?? [], lockWaitMs: 0 },
			workingDirectory: directory,
		},
	);

describe("saving a snapshot", () => {
	it("takes it on a caught-up follower, and leaves a whole file of its own name", async () => {
		const world = operating();
		const report = await save(world);
		expect(report.node).toBe("n2");
		expect(await readdir(directory)).toEqual([`test-${report.index}.snapshot`]);
		expect(await readFile(report.file)).toEqual(snapshotBytes(report.index));
		expect(world.cluster.lock).toBeNull();
	});

	it("takes none where the file is there already, or could not be written", async () => {
		const world = operating();
		const taken = join(directory, "taken");
		await writeFile(taken, "of yesterday");
		for (const file of [taken, join(directory, "nowhere/it")]) {
			const failure = await failureOf(save(world, { file }));
			expect(failure.next).toContain("--file");
		}
		const { nodes } = await listSnapshots(world.context);
		expect(nodes.flatMap(({ snapshots }) => snapshots)).toEqual([]);
		expect(await readFile(taken, "utf8")).toBe("of yesterday");
	});

	it("passes over nodes that are down, lag or have an alarm, down to the leader", async () => {
		const world = operating();
		world.cluster.stop("n2");
		world.cluster.node("n3").behind = 1_000_000;
		expect((await save(world)).node).toBe("n1");
		const alarmed = operating();
		alarmed.cluster.alarms = [
			{ kind: "state-differs", node: "n2", message: "it differs" },
		];
		expect((await save(alarmed, { file: "alarmed" })).node).toBe("n3");
	});

	it("prefers a learner, whom nobody waits for", async () => {
		const world = operating({ n1: "voter", n2: "voter", n3: "learner" });
		expect((await save(world)).node).toBe("n3");
	});

	it("is refused, with what is wrong with each node, when none is fit", async () => {
		const world = operating();
		for (const id of ["n2", "n3"]) world.cluster.stop(id);
		const error = await failureOf(save(world));
		expect(error.kind).toBe("refused");
		expect(error.problems).toHaveLength(3);
		const one = await failureOf(save(world, { node: "n2" }));
		expect(one.message).toBe("n2 can take no snapshot now");
		expect(one.next).toMatch(/^raftctl status/);
	});

	it("says that nobody answers where that is all, and what to type next", async () => {
		const world = operating();
		for (const id of ["n1", "n2", "n3"]) world.cluster.stop(id);
		const error = await failureOf(save(world));
		expect(error.kind).toBe("unreachable");
		expect(error.next).toMatch(/^raftctl status/);
	});

	it("is taken of a node with an alarm when that check is left out by name, and the journal knows", async () => {
		const world = operating();
		const alarm = { kind: "state-differs", message: "it differs" } as const;
		const against = (...nodes: string[]) =>
			nodes.map((node) => ({ ...alarm, node }));
		world.cluster.alarms = against("n1", "n2", "n3");
		const error = await failureOf(save(world));
		expect(error.message).toBe("no node can take a snapshot now");
		expect(error.next).toContain("--skip=alarm");
		expect(world.cluster.operations).toEqual([]);
		const report = await save(world, { skip: ["alarm"], node: "n3" });
		expect(report.node).toBe("n3");
		expect(await readFile(report.file)).toEqual(snapshotBytes(report.index));
		expect(world.cluster.lock).toBeNull();
		const [stored] = world.cluster.operations;
		expect(JSON.parse(stored?.record ?? "")).toMatchObject({
			...{ operation: "snapshot save", state: "done", skip: ["alarm"] },
			text: "snapshot save --node n3 --skip=alarm",
			report: { node: "n3", index: report.index },
		});
		world.cluster.alarms = against("n2");
		const fitter = await save(world, { skip: ["alarm"], file: "fitter" });
		expect(fitter.node).toBe("n3");
	});

	it("overwrites nothing: neither a file of that name nor one that is being written", async () => {
		const world = operating();
		await writeFile(join(directory, "here"), "precious");
		const error = await failureOf(save(world, { file: "here" }));
		expect(error).toMatchObject({ kind: "refused" });
		expect(await readFile(join(directory, "here"), "utf8")).toBe("precious");
		const other = await createFile(join(directory, "there"));
		await other.write(Buffer.from("half"));
		const busy = await failureOf(save(world, { file: "there" }));
		expect(busy.message).toContain("another save is under way");
		await other.finish();
		expect(await readFile(join(directory, "there"), "utf8")).toBe("half");
		expect((await failureOf(save(world, { file: "there" }))).message).toContain(
			"is there already",
		);
	});

	it("begins anew with a part that a killed one left", async () => {
		const world = operating();
		const left = join(directory, "there.part");
		await writeFile(left, "x".repeat(1_000_000));
		const report = await save(world, { file: "there" });
		expect(await readFile(report.file)).toEqual(snapshotBytes(report.index));
		expect(await readdir(directory)).toEqual(["there"]);
	});

	it("names a place that cannot be written", async () => {
		const world = operating();
		const error = await failureOf(save(world, { file: "no/such/place" }));
		expect(error).toMatchObject({ kind: "config" });
		expect(error.next).toContain("--file");
	});

	it("goes on where a connection broke, sending nothing twice", async () => {
		const world = operating();
		const offsets: number[] = [];
		const engine = cutAfter(world, 1_000, offsets);
		const report = await save(world, { engine });
		expect(await readFile(report.file)).toEqual(snapshotBytes(report.index));
		expect(offsets).toEqual([0, 1_000, 2_000, 3_000, 4_000]);
	});

	it("gives up a node that sends nothing more, and leaves no file", async () => {
		const world = operating();
		const error = await failureOf(
			save(world, { engine: cutAfter(world, 0, []) }),
		);
		expect(error.kind).toBe("unreachable");
		expect(await readdir(directory)).toEqual([]);
	});

	it("splices no two files: one that was replaced meanwhile is refused", async () => {
		const world = operating();
		const engine = cutAfter(world, 1_000, []);
		const asked = engine.snapshots;
		let looks = 0;
		engine.snapshots = async (...given) => {
			looks += 1;
			const all = await asked(...given);
			return looks === 1 ? all : all.map((one) => ({ ...one, id: "other" }));
		};
		const error = await failureOf(save(world, { engine }));
		expect(error.message).toContain("was replaced while it was copied");
		expect(await readdir(directory)).toEqual([]);
	});

	it("leaves nothing behind when it is interrupted", async () => {
		const world = operating();
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/copy")
				world.abort.abort(new OperatorError("interrupted", "interrupted"));
		};
		const error = await failureOf(save(world));
		expect(error.kind).toBe("interrupted");
		expect(await readdir(directory)).toEqual([]);
	});
});

/** Every connection breaks after so many bytes. */
function cutAfter(
	{ context }: Operating,
	bytes: number,
	offsets: number[],
): { -readonly [Name in keyof Engine]: Engine[Name] } {
	return {
		...context.engine,
		async readSnapshot(node, { index, offset }) {
			offsets.push(offset);
			const all = snapshotBytes(index);
			return (async function* () {
				if (bytes > 0) yield all.subarray(offset, offset + bytes);
				if (offset + bytes < all.length)
					throw new OperatorError("unreachable", `${node.id} does not answer`);
			})();
		},
	};
}

describe("the list of snapshots", () => {
	it("has those of every node, and why one's are not known", async () => {
		const world = operating();
		await save(world);
		world.cluster.stop("n3");
		const { nodes } = await listSnapshots(world.context);
		expect(nodes.map(({ snapshots }) => snapshots.length)).toEqual([0, 1, 0]);
		expect(nodes[2]?.fault).toContain("does not answer");
	});
});
