import {
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataDirectory } from "../../../src/daemon/doctor/data-directory.js";
import { examine } from "../../../src/daemon/doctor/examine.js";
import { defaultLimits } from "../../../src/daemon/engine/limits.js";
import { recover } from "../../../src/daemon/engine/recover.js";
import type { RestoreReport } from "../../../src/daemon/offline/restore.js";
import { controlAfterRestore } from "../../../src/daemon/offline/restored-state.js";
import {
	type ControlCommand,
	createControlState,
	executeControl,
} from "../../../src/machines/control.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { lockDirectory } from "../../../src/storage/lock.js";
import { lacksRoot, onSmallDisk } from "../../fakes/small-disk.js";
import { filesGround } from "./ground.js";

const ground = filesGround();

const restored = (file: string, config: string, ...flags: string[]) =>
	ground.run<RestoreReport>(
		...(["snapshot", "restore", file, "--config", config] as const),
		...flags,
	);

/** The node as raftd itself would find it. */
async function found(id: string) {
	const identity = JSON.parse(
		readFileSync(ground.at(`${id}-data/identity.json`), "utf8"),
	);
	return await recover({
		identity: {
			...{ clusterId: identity.clusterId, nodeId: id },
			...{ incarnation: identity.incarnation },
			levels: { readsFrom: 1, readsTo: 1, writes: 1 },
		},
		initial: { voters: [id], outgoing: [], learners: [], addresses: {} },
		...{ joins: false, dataDirectory: ground.at(`${id}-data`) },
		...{ limits: { ...defaultLimits, segmentBytes: 65_536 } },
		...{ machine: kv as Machine, diagnose: () => {} },
	});
}

describe("a data directory that is made from a snapshot's file", () => {
	it("holds the machine's state, under another cluster's id and members, further on", async () => {
		const file = await ground.saved();
		const config = ground.nodeFile("n1");
		const { code, report } = await restored(file, config);
		expect(code).toBe(0);
		expect(report).toMatchObject({
			...{ version: 1, file, directory: ground.at("n1-data"), node: "n1" },
			...{ clusterId: "c-new", index: 1_000_100, term: 3 },
			configuration: { voters: ["n1", "n2"], learners: ["n3"] },
			from: { clusterId: "c-test", index: 100, term: 2 },
			dropped: {
				sessions: 1,
				alarms: 0,
				operations: 0,
				snapshotSchedule: null,
			},
		});
		const { report: health } = await examine(
			await openDataDirectory(ground.at("n1-data")),
		);
		expect(health).toMatchObject({ verdict: "healthy", alignment: "fits" });
		expect(health.identity).toMatchObject({
			...{ clusterId: "c-new", nodeId: "n1", logStarted: true },
			incarnation: report.incarnation,
		});
		const { state, restored: core, log, store } = await found("n1");
		expect(state.applied).toBe(1_000_100);
		expect(core).toMatchObject({
			hardState: { term: 3, votedFor: null, commit: 1_000_100 },
			...{ lastIndex: 1_000_100, applied: 1_000_100, tail: [] },
		});
		expect(core.snapshot?.configuration).toMatchObject({
			index: 1_000_100,
			configuration: { voters: ["n1", "n2"], learners: ["n3"] },
		});
		const answer = JSON.parse(
			JSON.stringify(
				kv.json?.answer(
					state.query(kv.json.query({ op: "get", key: "colour" })),
				),
			),
		);
		expect(answer).toMatchObject({ value: "value 99".repeat(9) });
		await log.close();
		await store.close();
	});

	it("is readable by its owner alone", async () => {
		const file = await ground.saved();
		await restored(file, ground.nodeFile("n1"));
		expect(statSync(ground.at("n1-data")).mode & 0o777).toBe(0o700);
		for (const name of readdirSync(ground.at("n1-data"), { recursive: true }))
			expect(
				statSync(ground.at(`n1-data/${name}`)).mode & 0o077,
				String(name),
			).toBe(0);
	});

	it("has the same content on every node, and another incarnation", async () => {
		const file = await ground.saved();
		const reports = [];
		for (const id of ["n1", "n2", "n3"])
			reports.push((await restored(file, ground.nodeFile(id))).report);
		expect(new Set(reports.map(({ sha256 }) => sha256)).size).toBe(1);
		expect(new Set(reports.map(({ incarnation }) => incarnation)).size).toBe(3);
	});

	it("begins as far on as is asked for", async () => {
		const file = await ground.saved();
		const config = ground.nodeFile("n1");
		for (const bump of ["0", "-1", "1e3", "x"]) {
			const { code } = await restored(file, config, `--index-bump=${bump}`);
			expect(code, bump).toBe(2);
		}
		const far = `--index-bump=${2 ** 48}`;
		expect((await restored(file, config, far)).code).toBe(2);
		expect(existsSync(ground.at("n1-data"))).toBe(false);
		const { report } = await restored(file, config, "--index-bump=5");
		expect(report.index).toBe(105);
	});

	it("tells nobody that subscribed to the old cluster's events that nothing is missing (P63)", async () => {
		const file = await ground.saved();
		const { report } = await restored(file, ground.nodeFile("n1"));
		const { state, log, store } = await found("n1");
		const subscriber = { onEvent() {}, onProgress() {} };
		for (const from of [1, 100, 101, 5000, report.index])
			expect(state.events.subscribe(from, subscriber), `${from}`).toBe(null);
		expect(state.events.subscribe(report.index + 1, subscriber)).not.toBe(null);
		await log.close();
		await store.close();
	});

	it("does not start without its snapshot, as a founder would (P31)", async () => {
		const file = await ground.saved();
		await restored(file, ground.nodeFile("n1"));
		rmSync(ground.at("n1-data/snapshots"), { recursive: true });
		await expect(found("n1")).rejects.toThrow(
			"the log begins at index 1000101, and there is no snapshot",
		);
	});

	it("may be one that is there and empty", async () => {
		const file = await ground.saved();
		const config = ground.nodeFile("n1");
		mkdirSync(ground.at("n1-data"));
		expect((await restored(file, config)).code).toBe(0);
	});

	it("is made anew over what an earlier try left, which was killed", async () => {
		const file = await ground.saved();
		const config = ground.nodeFile("n1");
		mkdirSync(ground.at("n1-data.restoring/wal"), { recursive: true });
		writeFileSync(ground.at("n1-data.restoring/wal/00000001.wal"), "half");
		writeFileSync(ground.at("n1-data.restoring/identity.json"), "{");
		expect((await restored(file, config)).code).toBe(0);
		expect(existsSync(ground.at("n1-data.restoring"))).toBe(false);
		const { log, store } = await found("n1");
		await log.close();
		await store.close();
	});
});

describe("a restore that is refused", () => {
	it("leaves a data directory alone that is not empty", async () => {
		const file = await ground.saved();
		const config = ground.nodeFile("n1");
		mkdirSync(ground.at("n1-data"));
		writeFileSync(ground.at("n1-data/notes.txt"), "dear");
		const { code, error } = await restored(file, config);
		expect(code).toBe(11);
		expect(error.message).toBe(
			`the data directory ${ground.at("n1-data")} is not empty: it holds notes.txt`,
		);
		expect(readFileSync(ground.at("n1-data/notes.txt"), "utf8")).toBe("dear");
		expect(existsSync(ground.at("n1-data.restoring"))).toBe(false);
	});

	it("says why the new cluster needs an id of its own (P63)", async () => {
		const file = await ground.saved();
		const config = ground.nodeFile("n1", {
			cluster: { id: "c-test", name: "test" },
		});
		const { code, error } = await restored(file, config);
		expect(code).toBe(11);
		expect(error.message).toContain("is of cluster c-test, and so would be");
		expect(error.problems?.[0]).toContain("mix two histories");
	});

	it("sends a node that joins to its leader", async () => {
		const file = await ground.saved();
		const config = ground.nodeFile("n1", { join: true });
		const { code, error } = await restored(file, config);
		expect(code).toBe(11);
		expect(error.message).toContain("n1 is configured to join a cluster");
	});

	it("finds damage anywhere in the file before anything is made", async () => {
		const file = await ground.saved("saved.snapshot", 12);
		const config = ground.nodeFile("n1");
		const whole = readFileSync(file);
		for (let at = 0; at < whole.length; at += 41) {
			const bytes = Buffer.from(whole);
			bytes[at] = (bytes[at] as number) ^ 4;
			writeFileSync(file, bytes);
			const { code, error } = await restored(file, config);
			expect(code, `byte ${at}`).toBe(11);
			expect(error.message).toMatch(/offset \d+$/);
		}
		for (let bytes = 0; bytes < whole.length; bytes += 41) {
			writeFileSync(file, whole.subarray(0, bytes));
			expect((await restored(file, config)).code, `${bytes} bytes`).toBe(11);
		}
		expect(existsSync(ground.at("n1-data"))).toBe(false);
		expect(existsSync(ground.at("n1-data.restoring"))).toBe(false);
	});

	it("names the machine that the file is of", async () => {
		const file = await ground.saved();
		const app = ground.at("app.mjs");
		writeFileSync(
			app,
			`export default { name: "ledger", levels: { reads: [1, 1], writes: 1 }, create: () => 0,
	apply: () => new Uint8Array(0), query: () => new Uint8Array(0), snapshot: () => [], restore: () => 0 };`,
		);
		const config = ground.nodeFile("n1", { app });
		const { code, error } = await restored(file, config);
		expect(code).toBe(11);
		expect(error.message).toBe(`${file} is of machine kv, and not of ledger`);
	});

	it.skipIf(lacksRoot)(
		"leaves nothing behind on a disk that is full, and says so",
		async () => {
			const file = await ground.saved();
			const small = ground.at("small");
			mkdirSync(small);
			await onSmallDisk(small, "40k", async () => {
				const config = ground.nodeFile("n1", { data: join(small, "data") });
				const { code, error } = await restored(file, config);
				expect(code).toBe(11);
				expect(error).toMatchObject({
					kind: "refused",
					message: expect.stringContaining("the disk is full: no room for "),
				});
				expect(readdirSync(small)).toEqual([]);
			});
		},
	);

	it("lets another that is under way go on", async () => {
		const file = await ground.saved();
		const config = ground.nodeFile("n1");
		mkdirSync(ground.at("n1-data.restoring"));
		writeFileSync(ground.at("n1-data.restoring/identity.json"), "{}");
		const lock = await lockDirectory(ground.at("n1-data.restoring"));
		const { code } = await restored(file, config);
		expect(code).toBe(13);
		expect(existsSync(ground.at("n1-data.restoring/identity.json"))).toBe(true);
		await lock.release();
	});
});

describe("the cluster's own state after a restore", () => {
	it("keeps the time and the write level, and nothing else of the old cluster's", () => {
		const old = createControlState();
		const commands: ControlCommand[] = [
			{ type: "set-write-level", level: 3, release: "3.0.0", nowMs: 1000 },
			{ type: "open-session", ttlMs: 60_000, nowMs: 1000 },
			{
				...{
					type: "raise-alarm",
					kind: "state-differs",
					node: "old",
					index: 4,
				},
				...{ message: "it differs", nowMs: 1000 },
			},
			{
				...{ type: "acquire-lock", holder: "ada", host: "h", nonce: "" },
				...{ operation: "upgrade", ttlMs: 60_000, nowMs: 2000 },
			},
		];
		for (const [at, command] of commands.entries())
			executeControl(old, command, at + 1);
		expect(old.lock).not.toBe(null);
		expect(old.sessions.size).toBe(1);
		const { sessions, ...own } = controlAfterRestore(old, 5000);
		expect(sessions.size).toBe(0);
		const { sessions: _, ...fresh } = createControlState();
		expect(own).toEqual({
			...fresh,
			nowMs: 2000,
			fencingToken: 5000,
			writeLevel: { level: 3, release: "3.0.0" },
		});
	});
});
