import {
	chmodSync,
	copyFileSync,
	readFileSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { runOffline } from "../../../src/daemon/doctor/command-line.js";
import { OperatorError } from "../../../src/errors.js";
import { lockDirectory } from "../../../src/storage/lock.js";
import { doctorGround, lifeOf, makeDirectory } from "./ground.js";

const ground = doctorGround();
const { run, files } = ground;

const entries = lifeOf(600);

/** A log that begins behind a snapshot, in three segments, and two snapshots. */
function make() {
	return makeDirectory(ground.directory, {
		...{ entries, snapshots: [300, 400], compactTo: 400, commit: 598 },
	});
}

function change(path: string, by: (bytes: Buffer) => void): void {
	const bytes = readFileSync(path);
	by(bytes);
	writeFileSync(path, bytes);
}

function flip(path: string, offset: number): void {
	change(path, (bytes) => {
		bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
	});
}

function problemsIn(stdout: string) {
	return JSON.parse(stdout).problems.map(
		({ severity, file, offset, index, what }: Record<string, unknown>) => ({
			...{ severity, file, offset, index, what },
		}),
	);
}

describe("raftd doctor", () => {
	it("tells a healthy directory in a few lines and ends with 0", async () => {
		await make();
		const { code, stdout, stderr } = await run("doctor");
		expect(stdout).toMatchInlineSnapshot(`
			"DIR: healthy
			node n1 of cluster c-test, incarnation UUID

			what                state  holds
			identity.json       ok
			wal                 ok     entries 305 to 600 (296), term 2, vote for n2, commit at least 598
			wal/0000000003.wal  ok     entries 305 to 456, 32 KiB
			wal/0000000004.wal  ok     entries 457 to 600, 32 KiB
			snapshot 400        ok     index 400, term 2, machine kv, level 1, 38 KiB, by raftd 1.2.3 at 2023-11-14T22:13:20.000Z
			snapshot 300        ok     index 300, term 2, machine kv, level 1, 29 KiB, by raftd 1.2.3 at 2023-11-14T22:13:20.000Z
			"
		`);
		expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
	});

	it("tells a write that a crash cut short as nothing to fear and ends with 10", async () => {
		await make();
		const last = files("wal", ".wal").at(-1) ?? "";
		const { wal } = JSON.parse((await run("doctor", "--json")).stdout);
		expect(wal.lastIndex).toBe(600);
		change(last, (bytes) => {
			// Behind the last record, as the beginning of a write that never ended.
			let end = bytes.length;
			while (bytes[end - 1] === 0) end -= 1;
			const from = Math.ceil(end / 512) * 512;
			bytes.fill(0x5a, from, from + 300);
		});
		const { code, stdout } = await run("doctor");
		expect(stdout).toMatchInlineSnapshot(`
			"DIR: a start repairs it (1 problem)
			node n1 of cluster c-test, incarnation UUID

			what                state      holds
			identity.json       ok
			wal                 torn-tail  entries 305 to 600 (296), term 2, vote for n2, commit at least 598
			wal/0000000003.wal  ok         entries 305 to 456, 32 KiB
			wal/0000000004.wal  torn-tail  entries 457 to 600, 32 KiB
			snapshot 400        ok         index 400, term 2, machine kv, level 1, 38 KiB, by raftd 1.2.3 at 2023-11-14T22:13:20.000Z
			snapshot 300        ok         index 300, term 2, machine kv, level 1, 29 KiB, by raftd 1.2.3 at 2023-11-14T22:13:20.000Z

			problem 1, repairable: wal/0000000004.wal, offset 31232, after index 600
			  what:  a write of 300 bytes was cut short
			  means: the node ended in the middle of this write; nobody was told that it was done, so nothing is lost
			  next:  start the node: it cuts the write off by itself
			"
		`);
		expect(code).toBe(10);
	});

	it("tells damage in the log with file, offset and index, and ends with 11", async () => {
		await make();
		const [first = ""] = files("wal", ".wal");
		flip(first, 14_000);
		const { code, stdout } = await run("doctor");
		expect(stdout).toMatchInlineSnapshot(`
			"DIR: DAMAGED (1 problem)
			node n1 of cluster c-test, incarnation UUID

			what                state    holds
			identity.json       ok
			wal                 damaged  entries 305 to 312 (8) can be read
			wal/0000000003.wal  damaged  entries 305 to 312, 32 KiB
			wal/0000000004.wal  ok       entries 457 to 600, 32 KiB
			snapshot 400        ok       index 400, term 2, machine kv, level 1, 38 KiB, by raftd 1.2.3 at 2023-11-14T22:13:20.000Z
			snapshot 300        ok       index 300, term 2, machine kv, level 1, 29 KiB, by raftd 1.2.3 at 2023-11-14T22:13:20.000Z

			problem 1, damaged: wal/0000000003.wal, offset 13312, after index 312
			  what:  a record is unreadable although the log goes on in 0000000004.wal
			  means: entries behind index 312 that this node acknowledged may be gone, and raftd does not start
			  next:  leave the node down and keep the directory: the other voters go on if most of them are well. Remove the node from the cluster and add a new member in its place
			"
		`);
		expect(code).toBe(11);
	});

	it("goes without a damaged snapshot as long as an older one fits the log", async () => {
		await makeDirectory(ground.directory, {
			...{ entries, snapshots: [300, 400], compactTo: 250 },
		});
		const [, newest = ""] = files("snapshots", ".snapshot");
		flip(newest, 6000);
		const { code, stdout } = await run("doctor", "--json");
		expect(problemsIn(stdout)).toMatchInlineSnapshot(`
			[
			  {
			    "file": "DIR/snapshots/00000000000000000400-ID.snapshot",
			    "index": 400,
			    "offset": 4424,
			    "severity": "repairable",
			    "what": "chunk 1 is damaged",
			  },
			]
		`);
		expect(JSON.parse(stdout).problems[0].means).toContain("index 300");
		expect(code).toBe(10);
	});

	it("says what is missing when the only snapshot that fits is damaged", async () => {
		await make();
		const [older = "", newest = ""] = files("snapshots", ".snapshot");
		rmSync(older);
		truncateSync(newest, 5000);
		const { code, stdout } = await run("doctor");
		expect(stdout).toMatchInlineSnapshot(`
			"DIR: DAMAGED (3 problems)
			node n1 of cluster c-test, incarnation UUID

			what                state     holds
			identity.json       ok
			wal                 ok        entries 305 to 600 (296), term 2, vote for n2, commit at least 598
			wal/0000000003.wal  ok        entries 305 to 456, 32 KiB
			wal/0000000004.wal  ok        entries 457 to 600, 32 KiB
			snapshot 400        unusable

			problem 1, damaged: snapshots/00000000000000000400-ID.snapshot, offset 4424
			  what:  chunk 1 is damaged
			  means: nothing on this disk is known to stand in for it
			  next:  put the file back from a copy; else remove the node from the cluster and add a new member in its place

			problem 2, damaged: snapshots/00000000000000000400-ID.snapshot, offset 4944
			  what:  its trailer is damaged, or the file is cut short
			  means: nothing on this disk is known to stand in for it
			  next:  put the file back from a copy; else remove the node from the cluster and add a new member in its place

			problem 3, damaged: wal
			  what:  the log begins at index 305, and there is no snapshot that can be used for what was before
			  means: the state cannot be built again, and raftd does not start
			  next:  if a snapshot was removed by hand, put it back; else remove the node from the cluster and add a new member in its place
			"
		`);
		expect(code).toBe(11);
	});

	it("tells a log that a crash kept from beginning anew behind the snapshot", async () => {
		await makeDirectory(ground.directory, { entries, snapshots: [400] });
		const snapshots = files("snapshots", ".snapshot");
		const kept = readFileSync(snapshots[0] ?? "");
		const name = snapshots[0] ?? "";
		for (const part of ["wal", "snapshots", "identity.json"])
			rmSync(join(ground.directory, part), { recursive: true });
		await makeDirectory(ground.directory, { entries: lifeOf(100) });
		writeFileSync(name, kept);
		const { code, stdout } = await run("doctor", "--json");
		expect(JSON.parse(stdout)).toMatchObject({
			...{ alignment: "reset", verdict: "repairable" },
		});
		expect(problemsIn(stdout)).toMatchInlineSnapshot(`
			[
			  {
			    "file": "DIR/wal",
			    "index": 400,
			    "offset": null,
			    "severity": "repairable",
			    "what": "the log ends at index 100 and does not lead up to the snapshot at index 400",
			  },
			]
		`);
		expect(code).toBe(10);
	});

	it.each<[string, () => void]>([
		["no identity", () => rmSync(join(ground.directory, "identity.json"))],
		[
			"an identity that is no JSON",
			() => writeFileSync(join(ground.directory, "identity.json"), "{"),
		],
		[
			"no log",
			() => rmSync(join(ground.directory, "wal"), { recursive: true }),
		],
		["a segment missing", () => rmSync(files("wal", ".wal")[1] ?? "")],
		[
			"no snapshots",
			() => rmSync(join(ground.directory, "snapshots"), { recursive: true }),
		],
		[
			"another node's identity",
			() =>
				change(join(ground.directory, "identity.json"), (bytes) =>
					bytes.write('"n7"', bytes.indexOf('"n1"')),
				),
		],
	])(
		"ends with 11 and a next step for a directory with %s",
		async (_, harm) => {
			await make();
			harm();
			const { code, stdout } = await run("doctor", "--json");
			expect(code).toBe(11);
			const { verdict, problems } = JSON.parse(stdout);
			expect(verdict).toBe("damaged");
			for (const { what, means, next } of problems)
				for (const sentence of [what, means, next])
					expect(sentence).toMatch(/^\S.*[^.]$/);
		},
	);

	it.each<[string, () => void]>([
		[
			"identity.json",
			() =>
				change(join(ground.directory, "identity.json"), (bytes) =>
					bytes.write("2", bytes.indexOf('"format": 1') + 10),
				),
		],
		[
			"log.json",
			() =>
				change(join(ground.directory, "wal", "log.json"), (bytes) =>
					bytes.write("2", bytes.indexOf('"format":1') + 9),
				),
		],
		[
			"a segment",
			() =>
				change(files("wal", ".wal").at(-1) ?? "", (bytes) => {
					bytes.writeUInt32LE(2, 8);
					bytes.writeUInt32LE(crc32(bytes.subarray(0, 88)), 88);
				}),
		],
		[
			"the newest snapshot",
			() =>
				change(files("snapshots", ".snapshot").at(-1) ?? "", (bytes) => {
					bytes.writeUInt32LE(2, 8);
					bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
				}),
		],
	])("does not take a later release's %s for damage", async (_, write) => {
		await makeDirectory(ground.directory, { entries, snapshots: [300, 400] });
		write();
		const { code, stdout } = await run("doctor", "--json");
		expect(problemsIn(stdout)).toMatchObject([{ severity: "later-release" }]);
		expect(code).toBe(11);
	});

	it("reads no log that a process writes, and ends with 13", async () => {
		await make();
		const lock = await lockDirectory(ground.directory);
		try {
			const { code, stdout } = await run("doctor", "--json");
			expect(JSON.parse(stdout)).toMatchObject({
				...{ complete: false, wal: null, verdict: "healthy" },
				holder: expect.stringContaining(`process ${process.pid}`),
				snapshots: [{ state: "ok" }, { state: "ok" }],
			});
			expect(code).toBe(13);
			expect((await run("doctor")).stdout).toContain("IN USE by process");
		} finally {
			await lock.release();
		}
		expect((await run("doctor")).code).toBe(0);
	});

	it("notes what the next start removes", async () => {
		await make();
		const id = "a".repeat(32);
		for (const name of [`${id}.tmp`, `${id}.part`])
			writeFileSync(join(ground.directory, "snapshots", name), "");
		const { stdout, code } = await run("doctor", "--json");
		expect(JSON.parse(stdout).notes).toEqual([
			"the next start removes from DIR/snapshots: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.tmp",
			"DIR/snapshots/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.part was received in part; the node goes on with it when it is offered again",
		]);
		expect(code).toBe(0);
	});

	it("works on a directory that may only be read", async () => {
		await make();
		const paths = [
			...files("wal", ""),
			...files("snapshots", ""),
			join(ground.directory, "identity.json"),
		];
		for (const path of paths) chmodSync(path, 0o400);
		expect((await run("doctor")).code).toBe(0);
	});

	it.each([
		["there is none", () => join(ground.directory, "nothing"), "there is no"],
		["it is empty", () => ground.directory, "no data directory"],
		[
			"it is a file",
			() => {
				const path = join(ground.directory, "a-file");
				copyFileSync(import.meta.filename, path);
				return path;
			},
			"is no directory",
		],
	])("judges nothing where %s", async (_, path, said) => {
		const nowhere = { stdout: process.stdout, stderr: process.stderr };
		const failure = await runOffline(
			"doctor",
			["--data-dir", path()],
			nowhere,
		).catch((error: unknown) => error);
		expect(failure).toBeInstanceOf(OperatorError);
		expect(failure).toMatchObject({
			...{ kind: "usage", exitCode: 2, next: expect.any(String) },
			message: expect.stringContaining(said),
		});
	});
});
