import { randomBytes } from "node:crypto";
import {
	copyFileSync,
	readdirSync,
	readFileSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import type { VerifyReport } from "../../../src/daemon/offline/verify.js";
import { release } from "../../../src/daemon/release.js";
import { realDisk } from "../../../src/storage/real-disk.js";
import { FileWriter } from "../../../src/storage/snapshots/file-writer.js";
import { filesGround } from "./ground.js";

const ground = filesGround();

/** The same content, under another description. */
async function described(change: object): Promise<string> {
	const path = await ground.saved();
	const { SnapshotOnDisk } = await import(
		"../../../src/daemon/offline/snapshot-file.js"
	);
	const file = new SnapshotOnDisk(path);
	const manifest = file.manifest();
	const writer = new FileWriter({
		place: {
			...{ disk: realDisk, directory: ground.directory, nodeId: "n1" },
			clusterId: "c-test",
		},
		...{ description: { ...manifest, ...change }, id: randomBytes(16) },
		...{ chunkBytes: 1000, names: { temporary: "t", whole: "other.snapshot" } },
	});
	for (const chunk of file.content(manifest)) writer.write(chunk);
	writer.finish();
	return ground.at("other.snapshot");
}

const verify = (path: string, ...flags: string[]) =>
	ground.run<VerifyReport>("snapshot", "verify", path, ...flags);

describe("a snapshot's file that is verified", () => {
	it("is good when a restore of it comes out byte for byte", async () => {
		const path = await ground.saved();
		const { code, report } = await verify(path);
		expect(code).toBe(0);
		expect(report).toMatchObject({
			...{ version: 1, file: path, ok: true, problems: [], notes: [] },
			manifest: { clusterId: "c-test", index: 100, machine: "kv" },
		});
		const sha256 = report.manifest?.sha256;
		expect(report.drill).toEqual({
			...{ digest: sha256, matchesFile: true, copy: null },
		});
		expect(await ground.text("snapshot", "verify", path)).toContain(
			"drill     restored, and saved again: byte for byte the same",
		);
	});

	it("is found out when any one byte of it is another", async () => {
		const path = await ground.saved("saved.snapshot", 12);
		const whole = readFileSync(path);
		const broken = ground.at("broken.snapshot");
		for (let at = 0; at < whole.length; at += 7) {
			const bytes = Buffer.from(whole);
			bytes[at] = (bytes[at] as number) ^ (1 << (at % 8));
			writeFileSync(broken, bytes);
			const { code, report } = await verify(broken);
			expect(code, `byte ${at}`).toBe(11);
			expect(report.ok).toBe(false);
			expect(report.problems.length, `byte ${at}`).toBeGreaterThan(0);
			expect(report.drill).toBe(null);
		}
	});

	it("is found out when it is cut anywhere, or longer than it was", async () => {
		const path = await ground.saved("saved.snapshot", 12);
		const whole = readFileSync(path);
		const cut = ground.at("cut.snapshot");
		for (let bytes = 0; bytes < whole.length; bytes += 13) {
			copyFileSync(path, cut);
			truncateSync(cut, bytes);
			const { code, report } = await verify(cut);
			expect(code, `${bytes} bytes`).toBe(11);
			expect(report.problems.length, `${bytes} bytes`).toBeGreaterThan(0);
		}
		writeFileSync(cut, Buffer.concat([whole, Buffer.alloc(1)]));
		expect((await verify(cut)).code).toBe(11);
	});

	it("names file and offset of every damage, for people too", async () => {
		const path = await described({ index: 100 });
		const bytes = readFileSync(path);
		const places = [1500, 3600];
		for (const at of places) bytes[at] = (bytes[at] as number) ^ 1;
		writeFileSync(path, bytes);
		const { report } = await verify(path);
		expect(report.problems).toHaveLength(2);
		const said = await ground.text("snapshot", "verify", path);
		for (const { offset, what } of report.problems)
			expect(said).toContain(`damage    at offset ${offset}: ${what}`);
		expect(said).toContain("NOT good: do not rely on this file");
		const inspected = await ground.run("snapshot", "inspect", path);
		expect(inspected.code).toBe(0);
	});

	it("of another machine is refused, and the release that wrote it is named", async () => {
		const path = await described({ machine: "ledger", release: "4.5.6" });
		const { code, error } = await verify(path);
		expect(code).toBe(11);
		expect(error).toMatchObject({
			kind: "refused",
			message: `${path} is of machine ledger, and not of kv`,
			next: "give the module of machine ledger with --app FILE, as of release 4.5.6 or later",
		});
	});

	it.each([
		[9, "use release 4.5.6, or a later one: it wrote the file"],
		[0, "use release 4.5.6: it wrote the file"],
	])(
		"of level %i, which this release does not read, is refused",
		async (level, next) => {
			const path = await described({ level, release: "4.5.6" });
			const { code, error } = await verify(path);
			expect(code).toBe(11);
			expect(error.kind).toBe("refused");
			expect(error.message).toContain(`is of level ${level}; this release`);
			expect(error.next).toBe(next);
		},
	);

	it("that is whole and that the machine cannot restore is refused", async () => {
		const path = await described({ index: 99 });
		const { code, error } = await verify(path);
		expect(code).toBe(11);
		expect(error.message).toBe(
			`${path} is whole, but the machine cannot restore it: the snapshot at index 99 cannot be restored: its content is the state at index 100`,
		);
	});

	it("that is not there, or is something else, is told apart", async () => {
		const missing = await verify(ground.at("none"));
		expect(missing.code).toBe(2);
		expect(missing.error.message).toBe(`there is no file ${ground.at("none")}`);
		writeFileSync(ground.at("text"), "x".repeat(500));
		const { code, report } = await verify(ground.at("text"));
		expect(code).toBe(11);
		expect(report.problems[0]).toEqual({
			...{ offset: 0, what: "it does not begin like a snapshot" },
		});
	});
});

/** What it was last told; `restore` may make more or less of it, and `snapshot` writes it in a way of its own. */
const machine = (restore: string, snapshot: string) => `export default {
	name: "kv",
	levels: { reads: [1, 1], writes: 1 },
	create: () => "",
	apply: () => new Uint8Array(0),
	query: () => new Uint8Array(0),
	snapshot: (state) => [new TextEncoder().encode(${snapshot})],
	restore(chunks) {
		const text = Buffer.concat([...chunks]).toString("latin1");
		return ${restore};
	},
};`;

describe("a machine of a team's own that restores a snapshot", () => {
	async function drilled(restore: string, snapshot: string) {
		const path = await ground.saved();
		const app = ground.at("app.mjs");
		writeFileSync(app, machine(restore, snapshot));
		const scratch = ["--app", app, "--scratch", ground.directory];
		const before = readdirSync(ground.directory);
		const heard = await verify(path, ...scratch);
		expect(readdirSync(ground.directory)).toEqual(before);
		return heard;
	}

	it("may write the same state otherwise, as a later release of it does; that is told", async () => {
		const { code, report } = await drilled(
			`text.replace("new:", "")`,
			`"new:" + state`,
		);
		expect(code).toBe(0);
		expect(report.drill).toMatchObject({
			...{ matchesFile: false, copy: { differing: [] } },
		});
		expect(report.drill?.copy?.digest).toBe(report.drill?.digest);
		expect(report.notes[0]).toContain(
			`(the file: raftd ${release}, this: ${release})`,
		);
	});

	it("is found out when it does not bring back what it saved", async () => {
		const { code, report } = await drilled(`text + "!"`, "state");
		expect(code).toBe(11);
		expect(report.ok).toBe(false);
		expect(report.drill?.copy?.differing).toEqual(["machine"]);
	});

	it("is told when there is no room for a copy", async () => {
		const path = await ground.saved();
		const app = ground.at("app.mjs");
		writeFileSync(app, machine("text", `"new:" + state`));
		const { code, error } = await verify(
			...([path, "--app", app, "--scratch", ground.at("nowhere")] as const),
		);
		expect(code).toBe(1);
		expect(error.message).toContain("nowhere could not be written: ENOENT");
	});
});

describe("the command line for files", () => {
	it.each([
		[["snapshot"], "it is not said what to do with a snapshot"],
		[["snapshot", "eat"], "raftd snapshot eat is no command"],
		[["snapshot", "verify"], "no file is given"],
		[["snapshot", "verify", "a", "b"], "b is one too many"],
		[["snapshot", "inspect", "a", "--out", "b"], "it takes no --out"],
		[
			["snapshot", "export", "--data-dir", "d"],
			"it is not said where the file is to be",
		],
		[
			["snapshot", "export", "--out", "o"],
			"it is not said which data directory",
		],
		[["snapshot", "restore", "f"], "it is not said for which node"],
		[["inspect"], "it is not said which data directory"],
	])("refuses %j with a sentence", async ([word, ...argv], sentence) => {
		expect(await ground.text(word as "snapshot", ...argv)).toBe(sentence);
	});
});
