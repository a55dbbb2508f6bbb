import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runOffline } from "../../../src/daemon/doctor/command-line.js";
import { type Entry, EntryKind } from "../../../src/raft/types.js";
import { lockDirectory } from "../../../src/storage/lock.js";
import { doctorGround, lifeOf, makeDirectory } from "./ground.js";

const ground = doctorGround();
const { run, files } = ground;

function make(entries: readonly Entry[], more = {}) {
	return makeDirectory(ground.directory, { entries, ...more });
}

/** A module with a machine that has no words for its commands beyond JSON, or none at all. */
function writeApp(json: string): string {
	const path = join(ground.directory, "app.mjs");
	writeFileSync(
		path,
		`export default { name: "kv", levels: { reads: [1, 1], writes: 1 }, create: () => ({}), apply: () => new Uint8Array(0),
			query: () => new Uint8Array(0), snapshot: () => [], restore: () => ({}), ${json} };`,
	);
	return path;
}

describe("raftd dump", () => {
	it("shows every kind of entry to people, with nothing that a terminal obeys", async () => {
		const unknown = { index: 7, term: 2, kind: 9 as EntryKind, level: 1 };
		await make([...lifeOf(6), { ...unknown, data: Buffer.from("?!") }], {
			commit: 6,
		});
		const { code, stdout, stderr } = await run("dump");
		expect(stdout).toMatchInlineSnapshot(`
			"     index    term  kind            level    bytes  content
			         1       1  configuration       1      118  {"voters":["n1","n2","n3"],"outgoing":[],"learners":[],"addresses":{"n1":{"peer":"h:1","client":"h:2","admin":"h:3"}}}
			         2       2  noop                1        0
			         3       2  control             1       50  {"type":"open-session","nowMs":1000,"ttlMs":60000}
			         4       2  sessionCommand      1       30  session 3 command 1 (acknowledged 0) {"op":"put","key":"colour","value":"red"}
			         5       2  command             1       20  {"op":"put","key":"colour","value":"\\u001b[31mblue\\u009b"}
			         6       2  command             1        2  0x0909
			         7       2  kind-9              1        2  0x3f21
			"
		`);
		expect(stderr).toMatchInlineSnapshot(`
			"raftd: the node did not note the entries after 6 as committed: they may be, or may be replaced
			"
		`);
		expect(code).toBe(0);
	});

	it("shows the same to scripts, a line each", async () => {
		await make(lifeOf(6));
		const { code, stdout, stderr } = await run("dump", "--ndjson");
		const [head, ...entries] = stdout
			.trimEnd()
			.split("\n")
			.map((line) => JSON.parse(line));
		expect(head).toEqual({
			...{ version: 1, type: "log", clusterId: "c-test", nodeId: "n1" },
			...{ state: "ok", firstIndex: 1, lastIndex: 6 },
			...{ term: 2, votedFor: "n2", commit: 6 },
		});
		expect(entries[3]).toEqual({
			...{ version: 1, type: "entry", index: 4, term: 2, level: 1 },
			...{ kind: "sessionCommand", bytes: 30, isCommitted: true },
			session: { id: 3, sequence: 1, acknowledged: 0 },
			content: { op: "put", key: "colour", value: "red" },
		});
		expect(entries[5]).toMatchObject({ kind: "command", hex: "0909" });
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	});

	it("shows what --from and --to name, and says what there is for what there is not", async () => {
		await make(lifeOf(500), { snapshots: [400], compactTo: 400 });
		const { stdout } = await run("dump", "--from", "450", "--to", "452");
		expect(stdout.match(/^ +45\d /gm)).toHaveLength(3);
		expect(stdout.split("\n")).toHaveLength(5);
		const failure = await run("dump", "--to", "12").catch((error) => error);
		expect(failure).toMatchObject({
			...{ kind: "usage", problems: [expect.stringContaining("to 500")] },
			next: expect.stringContaining("--snapshot"),
		});
	});

	it("says where the log ends to who asks beyond it", async () => {
		await make(lifeOf(20));
		const failure = await run("dump", "--from", "21").catch((error) => error);
		expect(failure).toMatchObject({
			...{ kind: "usage", problems: ["it holds those from 1 to 20"] },
			message: "the log ends at index 20, before --from 21",
			next: "choose --from and --to among them",
		});
	});

	it("refuses a range that is the wrong way round, whatever the log holds", async () => {
		await make(lifeOf(20));
		const argv = ["--from", "5", "--to", "3"];
		const failure = await run("dump", ...argv).catch((error) => error);
		expect(failure).toMatchObject({
			...{ kind: "usage", next: "--from 3 --to 5" },
			message: "--from 5 is behind --to 3: there is nothing between them",
		});
	});

	it("shows what is before the damage, says so, and ends with 11", async () => {
		await make(lifeOf(600));
		const [, second = ""] = files("wal", ".wal");
		const bytes = readFileSync(second);
		bytes.fill(7, 13_000, 14_000);
		writeFileSync(second, bytes);
		const { code, stdout, stderr } = await run("dump", "--ndjson");
		const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "").index;
		expect(last).toBeGreaterThan(0);
		expect(last).toBeLessThan(600);
		expect(stderr).toContain(`the log is damaged after index ${last}`);
		expect(code).toBe(11);
	});

	it("reads commands as JSON, or shows their bytes, as the machine has it", async () => {
		const data = Buffer.from('{"transfer":7}');
		const entry = { index: 1, term: 1, kind: EntryKind.command, level: 1 };
		await make([{ ...entry, data }]);
		const shown = async (app: string) => {
			const { stdout } = await run("dump", "--ndjson", "--app", app);
			const { content, hex } = JSON.parse(stdout.split("\n")[1] ?? "");
			return { content, hex };
		};
		expect(await shown(writeApp(""))).toEqual({ content: { transfer: 7 } });
	});

	it("does not read one machine's commands with another's words", async () => {
		await make(lifeOf(20), {
			...{ snapshots: [10], compactTo: 0 },
			machine: {
				...(await import("../../../src/machines/kv/machine.js")).kv,
				name: "bank",
			},
		});
		const { code, stdout, stderr } = await run("dump", "--to", "5");
		expect(stdout).not.toContain("colour");
		expect(stderr).toContain("those of machine bank");
		expect(stderr).toContain("--app");
		expect(code).toBe(0);
	});

	it("shows a snapshot: what it says of itself, and what it holds", async () => {
		await make(lifeOf(20), { snapshots: [10] });
		const { code, stdout } = await run("dump", "--snapshot", "10");
		expect(
			stdout.replace(/"(id|sha256)":"[0-9a-f]+"/g, '"$1":"…"'),
		).toMatchInlineSnapshot(`
			"snapshot  {"clusterId":"c-test","index":10,"term":2,"configuration":{"index":1,"configuration":{"voters":["n1","n2","n3"],"outgoing":[],"learners":[],"addresses":{"n1":{"peer":"h:1","client":"h:2","admin":"h:3"}}}},"machine":"kv","level":1,"release":"1.2.3","createdAtMs":1700000000000,"id":"…","contentBytes":700,"sha256":"…","fileBytes":1083}
			control   {"lock":null,"nowMs":1000,"fencingToken":0,"writeLevel":null,"operations":[],"snapshotSchedule":null,"scheduledSnapshot":null,"alarms":[]}
			session   {"id":3,"ttlMs":60000,"activeAtMs":1000,"acknowledged":0,"kept":1}
			events    {"oldestIndex":1}
			event     {"index":4,"content":{"op":"put","key":"colour","value":"red"}}
			event     {"index":5,"content":{"op":"put","key":"colour","value":"\\u001b[31mblue\\u009b"}}
			event     {"index":7,"content":{"op":"put","key":"colour","value":"value 6value 6value 6value 6value 6value 6value 6value 6value 6"}}
			event     {"index":8,"content":{"op":"put","key":"colour","value":"value 7value 7value 7value 7value 7value 7value 7value 7value 7"}}
			event     {"index":9,"content":{"op":"put","key":"colour","value":"value 8value 8value 8value 8value 8value 8value 8value 8value 8"}}
			event     {"index":10,"content":{"op":"put","key":"colour","value":"value 9value 9value 9value 9value 9value 9value 9value 9value 9"}}
			machine   {"bytes":102}
			"
		`);
		expect(code).toBe(0);
		const failure = await run("dump", "--snapshot", "11").catch(
			(error) => error,
		);
		expect(failure).toMatchObject({
			...{ kind: "usage", problems: ["there are those at 10"] },
		});
	});

	it("shows the log of a node that runs, and says that it is one", async () => {
		await make(lifeOf(20));
		const lock = await lockDirectory(ground.directory);
		const { code, stdout, stderr } = await run("dump");
		await lock.release();
		expect(stdout.split("\n")).toHaveLength(22);
		expect(stderr).toContain(`in use by process ${process.pid}`);
		expect(code).toBe(0);
	});

	it.each([
		["an index that is none", ["--from", "-1"]],
		["a snapshot and a range", ["--snapshot", "3", "--to", "9"]],
		["a flag of another", ["--json"]],
	])("refuses %s", async (_, flags) => {
		await make(lifeOf(3));
		const failure = await run("dump", ...flags).catch((error) => error);
		expect(failure).toMatchObject({ kind: "usage" });
	});

	it("tells a script what is wrong in its own words", async () => {
		let said = "";
		const { Writable } = await import("node:stream");
		const stdout = new Writable({
			write(chunk, _, done) {
				said += chunk;
				done();
			},
		});
		const argv = ["--ndjson", "--data-dir", join(ground.directory, "nothing")];
		const code = await runOffline("dump", argv, { stdout, stderr: stdout });
		expect(JSON.parse(said)).toMatchObject({
			...{ version: 1, type: "error", error: { kind: "usage" } },
		});
		expect(code).toBe(2);
	});
});
