import { describe, expect, it } from "vitest";
import { openDataDirectory } from "../../../src/daemon/doctor/data-directory.js";
import { replayDirectory } from "../../../src/daemon/doctor/replay.js";
import { kv } from "../../../src/machines/kv/machine.js";
import { defineMachine, type Machine } from "../../../src/machines/machine.js";
import { type Entry, EntryKind } from "../../../src/raft/types.js";
import { lockDirectory } from "../../../src/storage/lock.js";
import { doctorGround, lifeOf, makeDirectory } from "./ground.js";

const ground = doctorGround();
const { run } = ground;

async function replay(machine: Machine = kv as Machine) {
	return replayDirectory(await openDataDirectory(ground.directory), machine);
}

interface Sum {
	total: number;
	parts: Uint8Array;
}

const bytes = (text: unknown) => Buffer.from(String(text));

/** Adds up the lengths of its commands, and may go wrong in one way. */
function adding(wrong: Partial<Machine<Sum>> = {}): Machine {
	return defineMachine<Sum>({
		name: "kv",
		levels: { reads: [1, 1], writes: 1 },
		create: () => ({ total: 0, parts: new Uint8Array(0) }),
		apply(state, command) {
			state.total += command.length;
			return bytes(state.total);
		},
		query: (state) => bytes(state.total),
		snapshot: (state) => [bytes(state.total)],
		restore: (chunks) => ({
			total: Number(Buffer.concat([...chunks]).toString()),
			parts: new Uint8Array(0),
		}),
		digest: (state) => bytes(state.total),
		...wrong,
	}) as Machine;
}

function make(count: number, more = {}): Promise<void> {
	return makeDirectory(ground.directory, { entries: lifeOf(count), ...more });
}

describe("raftd replay", () => {
	it("comes to the same twice with the key-value machine, and to what the node came to", async () => {
		await make(2100, { snapshots: [500, 1500] });
		const { code, stdout, stderr } = await run("replay");
		expect(stdout).toMatchInlineSnapshot(`
			"DIR: THE SAME, twice
			replayed: machine kv, 2100 entries from the beginning to index 2100
			compared: every result, 2 digests on the way, a restore after entry 1050, the node's own snapshot at index 500, the node's own snapshot at index 1500, the state at the end
			This shows no mistake of the machine; it does not show that there is none.
			"
		`);
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	});

	it("begins at the oldest snapshot that the log goes on from", async () => {
		await make(1200, { snapshots: [300, 900, 1000], compactTo: 900 });
		const { code, stdout } = await run("replay", "--json");
		expect(JSON.parse(stdout)).toMatchObject({
			...{ from: 900, to: 1200, middle: 1050, snapshots: [1000] },
			...{ machine: "kv", digests: 1, difference: null },
		});
		expect(code).toBe(0);
	});

	it("executes nothing that is not known to be committed", async () => {
		await make(20, { commit: 12 });
		expect(await replay()).toMatchObject({ from: 0, to: 12 });
	});

	it.each<[string, Partial<Machine<Sum>>, string, number]>([
		[
			"a result that depends on the clock",
			{
				apply: (_, command) =>
					bytes(command.length === 2 ? Date.now() : command.length),
			},
			"result",
			6,
		],
		[
			"a state that depends on randomness",
			{
				apply(state) {
					state.total += Math.random();
					return bytes("");
				},
			},
			"digest",
			1024,
		],
		[
			"a view of a command that is kept",
			{
				create: () => ({ total: 0, parts: new Uint8Array([0]) }),
				apply(state, command) {
					state.parts = command;
					return bytes("");
				},
				digest: () => bytes(""),
				snapshot: ({ parts }) => [Uint8Array.from(parts)],
				restore: (chunks) => ({ total: 0, parts: Buffer.concat([...chunks]) }),
			},
			"state",
			2100,
		],
		[
			"a snapshot that leaves something out",
			{ snapshot: () => [bytes(0)] },
			"result",
			1051,
		],
		[
			"a snapshot that it cannot read itself",
			{
				restore: () => {
					throw new Error("no such snapshot");
				},
			},
			"restore",
			1050,
		],
		[
			"a command on which it fails",
			{
				apply(_, command) {
					if (command.length === 2) throw new Error("it is too short");
					return bytes("");
				},
			},
			"failure",
			6,
		],
	])("finds %s", async (_, wrong, what, index) => {
		await make(2100);
		const { difference } = await replay(adding(wrong));
		expect(difference).toMatchObject({ what, index });
	});

	it("finds that the node once came to another state than its log leads to", async () => {
		await make(100, {
			...{ snapshots: [60], machine: adding() },
			snapshotMachine: adding({
				apply(state, command) {
					state.total += command.length + 1;
					return bytes(state.total);
				},
			}),
		});
		const { difference } = await replay(adding());
		expect(difference).toMatchObject({ what: "snapshot", index: 60 });
		expect(difference?.message).toContain("machine");
	});

	it("finds that the cluster once agreed upon another digest", async () => {
		const entries: Entry[] = lifeOf(1500);
		const compare = {
			...{ type: "compare-state", nowMs: 1, index: 1024 },
			digest: "ab".repeat(16),
		};
		entries[1100] = {
			...{ index: 1101, term: 2, kind: EntryKind.control, level: 1 },
			data: Buffer.from(JSON.stringify(compare)),
		};
		await makeDirectory(ground.directory, { entries });
		const { code, stdout } = await run("replay");
		expect(stdout).toContain("DIFFERENT at index 1024 (cluster-digest)");
		expect(code).toBe(11);
	});

	it("says which release is needed for an entry that cannot be read", async () => {
		const entries = lifeOf(20);
		entries[10] = { ...(entries[10] as Entry), level: 3 };
		await makeDirectory(ground.directory, { entries });
		const { code, stdout } = await run("replay");
		expect(stdout).toMatchInlineSnapshot(`
			"DIR: STOPPED at index 11 (unreadable-entry)
			replayed: machine kv, 20 entries from the beginning to index 20
			what:     entry 11 has level 3; this release of machine kv reads 1 to 1
			next:     use the release and the module (--app) that the node runs
			"
		`);
		expect(code).toBe(11);
	});

	it("refuses a directory in use, one that is damaged, and another machine's", async () => {
		await make(20, { snapshots: [10] });
		const lock = await lockDirectory(ground.directory);
		await expect(replay()).rejects.toMatchObject({ kind: "locked" });
		await lock.release();
		await expect(replay({ ...adding(), name: "bank" })).rejects.toMatchObject({
			kind: "config",
			next: expect.stringContaining("--app"),
		});
		const { rmSync } = await import("node:fs");
		rmSync(ground.files("wal", ".wal")[0] ?? "");
		await expect(replay()).rejects.toMatchObject({
			...{ kind: "refused", problems: [expect.stringContaining("missing")] },
		});
	});
});
