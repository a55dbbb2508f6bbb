import {
	existsSync,
	readdirSync,
	readFileSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "../../../src/daemon/engine/limits.js";
import { ReplicatedState } from "../../../src/daemon/engine/replicated-state.js";
import type { ExportReport } from "../../../src/daemon/offline/export.js";
import type { DirectoryReport } from "../../../src/daemon/offline/inspect-directory.js";
import { stateDigest } from "../../../src/daemon/offline/state-copies.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { encodeConfiguration } from "../../../src/raft/codec.js";
import { type Entry, EntryKind } from "../../../src/raft/types.js";
import { lockDirectory } from "../../../src/storage/lock.js";
import { configuration, lifeOf } from "../doctor/ground.js";
import { filesGround } from "./ground.js";

const ground = filesGround();

const exported = (directory: string, out: string) =>
	ground.run<ExportReport>(
		...(["snapshot", "export", "--data-dir", directory] as const),
		...["--out", out],
	);

/** Of the state that the entries lead to. */
function digestOf(entries: readonly Entry[]): string {
	const state = new ReplicatedState(kv as Machine, defaultLimits);
	for (const entry of entries)
		state.apply({ ...entry, data: Buffer.from(entry.data) });
	return stateDigest(state);
}

describe("a data directory that is exported", () => {
	it("gives a file of all its entries, those too that it did not know to be committed", async () => {
		const entries = lifeOf(60);
		const directory = await ground.made("data", { entries, commit: 40 });
		const { code, report } = await exported(directory, ground.at("out"));
		expect(code).toBe(0);
		expect(report).toMatchObject({
			...{ version: 1, directory, file: ground.at("out") },
			...{ appliedFrom: 0, committedIndex: 40, isTailCommitted: false },
			manifest: {
				...{ clusterId: "c-test", index: 60, term: 2, machine: "kv", level: 1 },
				configuration: { index: 1, configuration },
				sha256: digestOf(entries),
			},
		});
		expect(
			(await ground.run("snapshot", "verify", ground.at("out"))).code,
		).toBe(0);
		expect(readdirSync(ground.directory).sort()).toEqual(["data", "out"]);
	});

	it("goes on from its newest snapshot, where the log no longer begins at the beginning", async () => {
		const entries = lifeOf(900);
		const directory = await ground.made("data", {
			...{ entries, snapshots: [300, 700], compactTo: 700 },
		});
		const { report } = await exported(directory, ground.at("out"));
		expect(report).toMatchObject({
			...{ appliedFrom: 700, committedIndex: 900, isTailCommitted: true },
			manifest: { index: 900, sha256: digestOf(entries) },
		});
	});

	it("passes over a damaged snapshot where an older one and the log stand in for it", async () => {
		const entries = lifeOf(100);
		const directory = await ground.made("data", {
			...{ entries, snapshots: [30, 70] },
		});
		const place = join(directory, "snapshots");
		const newest = readdirSync(place).sort().at(-1) as string;
		truncateSync(join(place, newest), 500);
		const { report } = await exported(directory, ground.at("out"));
		expect(report).toMatchObject({
			...{ appliedFrom: 30, manifest: { sha256: digestOf(entries) } },
		});
	});

	it("gives the latest configuration, as a node goes by it before it is committed", async () => {
		const later = { ...configuration, voters: ["n1"] };
		const entries = [
			...lifeOf(20),
			{
				...{ index: 21, term: 2, kind: EntryKind.configuration, level: 1 },
				data: new Uint8Array(encodeConfiguration(later)),
			},
		];
		const directory = await ground.made("data", { entries, commit: 20 });
		const { report } = await exported(directory, ground.at("out"));
		expect(report.manifest.configuration).toEqual({
			...{ index: 21, configuration: later },
		});
	});

	it("is not changed, and the file is not written over", async () => {
		const directory = await ground.made("data", { entries: lifeOf(20) });
		const picture = () =>
			readdirSync(directory, { recursive: true }).map(String).sort();
		const before = picture().filter((name) => name !== "lock");
		writeFileSync(ground.at("out"), "dear");
		const { code, error } = await exported(directory, ground.at("out"));
		expect(code).toBe(11);
		expect(error.message).toBe(`${ground.at("out")} is there already`);
		expect(readFileSync(ground.at("out"), "utf8")).toBe("dear");
		await exported(directory, ground.at("other"));
		expect(picture().filter((name) => name !== "lock")).toEqual(before);
	});

	it("goes on after an earlier try that was killed", async () => {
		const directory = await ground.made("data", { entries: lifeOf(20) });
		writeFileSync(ground.at("out.part"), "half");
		expect((await exported(directory, ground.at("out"))).code).toBe(0);
		expect(existsSync(ground.at("out.part"))).toBe(false);
	});

	it("is refused while a process holds it", async () => {
		const directory = await ground.made("data", { entries: lifeOf(20) });
		const lock = await lockDirectory(directory);
		const { code, error } = await exported(directory, ground.at("out"));
		expect(code).toBe(13);
		expect(error.message).toContain(`is in use by process ${process.pid}`);
		await lock.release();
		expect((await exported(directory, ground.at("out"))).code).toBe(0);
	});

	it("is refused when its log is damaged, and no file is made", async () => {
		const directory = await ground.made("data", { entries: lifeOf(900) });
		const wal = join(directory, "wal");
		const [first] = readdirSync(wal)
			.filter((name) => name.endsWith(".wal"))
			.sort();
		const path = join(wal, String(first));
		const bytes = readFileSync(path);
		bytes[14_000] = (bytes[14_000] as number) ^ 1;
		writeFileSync(path, bytes);
		const { code, error } = await exported(directory, ground.at("out"));
		expect(code).toBe(11);
		expect(error.message).toContain("is damaged");
		expect(error.problems?.[0]).toContain(path);
		expect(existsSync(ground.at("out"))).toBe(false);
	});

	it("is refused at an entry that this release cannot read", async () => {
		const entries = [
			...lifeOf(20),
			{
				...{ index: 21, term: 2, kind: EntryKind.command, level: 9 },
				data: new Uint8Array(1),
			},
		];
		const directory = await ground.made("data", { entries });
		const { code, error } = await exported(directory, ground.at("out"));
		expect(code).toBe(11);
		expect(error.message).toContain("entry 21 has level 9");
	});

	it("is told when the place for the file is none", async () => {
		const directory = await ground.made("data", { entries: lifeOf(20) });
		const { code, error } = await exported(directory, ground.at("no/out"));
		expect(code).toBe(1);
		expect(error.message).toContain("no/out could not be written: ENOENT");
	});
});

const inspected = (directory: string) =>
	ground.run<DirectoryReport>("inspect", "--data-dir", directory);

describe("a data directory that is inspected", () => {
	it("tells how far its node had come", async () => {
		const directory = await ground.made("data", {
			...{ entries: lifeOf(900), snapshots: [700], compactTo: 700 },
			commit: 800,
		});
		const { code, report } = await inspected(directory);
		expect(code).toBe(0);
		expect(report).toMatchObject({
			...{ version: 1, directory, verdict: "healthy", holder: null },
			identity: { clusterId: "c-test", nodeId: "n1" },
			holds: {
				...{
					term: 2,
					votedFor: "n2",
					lastIndex: 900,
					lastTerm: 2,
					commit: 800,
				},
				snapshot: { index: 700, term: 2, machine: "kv" },
				configuration: { index: 1, ...configuration },
			},
		});
		const first = report.holds?.firstIndex ?? 0;
		expect(first).toBeGreaterThan(1);
		expect(first).toBeLessThanOrEqual(701);
	});

	it("tells what is before the damage, and what is damaged", async () => {
		const directory = await ground.made("data", { entries: lifeOf(900) });
		const wal = join(directory, "wal");
		const segments = readdirSync(wal).filter((name) => name.endsWith(".wal"));
		const path = join(wal, segments.sort()[1] as string);
		const bytes = readFileSync(path);
		bytes[14_000] = (bytes[14_000] as number) ^ 1;
		writeFileSync(path, bytes);
		const { code, report } = await inspected(directory);
		expect(code).toBe(11);
		expect(report.verdict).toBe("damaged");
		expect(report.problems[0]).toMatchObject({ file: path });
		expect(report.holds?.lastIndex).toBeGreaterThan(0);
		expect(report.holds?.lastIndex).toBeLessThan(900);
	});

	it("of a node that runs tells whose it is, and not how far it has come", async () => {
		const directory = await ground.made("data", { entries: lifeOf(20) });
		const lock = await lockDirectory(directory);
		const { code, report } = await inspected(directory);
		expect(code).toBe(13);
		expect(report).toMatchObject({ identity: { nodeId: "n1" }, holds: null });
		expect(report.holder).toContain(`process ${process.pid}`);
		await lock.release();
	});

	it("is told of in a few lines", async () => {
		const directory = await ground.made("data", { entries: lifeOf(20) });
		const text = await ground.text("inspect", "--data-dir", directory);
		expect(
			text.replace(/incarnation \S+/, "incarnation I"),
		).toBe(`directory  DIR/data
cluster    c-test
node       n1, incarnation I
term       2, vote for n2
log        1 to 20, the last of term 2
commit     20 at least
snapshot   none
voters     n1, n2, n3 (index 1)
learners   none
verdict    healthy
`);
	});
});
