import {
	chmodSync,
	chownSync,
	mkdirSync,
	readdirSync,
	renameSync,
	rmSync,
	writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { NodeConfig } from "../../../src/daemon/config.js";
import { defaultLimits } from "../../../src/daemon/engine/limits.js";
import { recover } from "../../../src/daemon/engine/recover.js";
import { openIdentity } from "../../../src/daemon/identity.js";
import { startError } from "../../../src/daemon/start-error.js";
import { OperatorError } from "../../../src/errors.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { openLogInThread } from "../../../src/storage/in-thread.js";
import {
	configuration,
	doctorGround,
	lifeOf,
	makeDirectory,
} from "./ground.js";

const ground = doctorGround();

/** What raftd says that does not start on the directory; null when it starts. */
async function refusalOfStart(warnings: string[] = []): Promise<unknown> {
	const { directory } = ground;
	const place = { clusterId: "c-test", nodeId: "n1" };
	try {
		const { identity } = openIdentity({ ...place, directory });
		const { log, store } = await recover({
			identity: {
				...identity,
				levels: { readsFrom: 1, readsTo: 1, writes: 1 },
			},
			...{ joins: false, initial: configuration, dataDirectory: directory },
			...{ limits: { ...defaultLimits, segmentBytes: 32 * 1024 } },
			machine: kv as Machine,
			diagnose: (_, message) => void warnings.push(message),
			openLog: openLogInThread,
		});
		await store.close();
		await log.close();
		return null;
	} catch (error) {
		const config = { data: directory, node: "n1" } as NodeConfig;
		return startError(error, config);
	}
}

const at = (...parts: string[]) => join(ground.directory, ...parts);
const newest = (part: "wal" | "snapshots", suffix: string) =>
	ground.files(part, suffix).at(-1) ?? "";

/** A directory takes the file's place. */
function replaced(path: string): string {
	rmSync(path, { recursive: true, force: true });
	mkdirSync(path);
	return path;
}

const make = () =>
	makeDirectory(ground.directory, {
		...{ entries: lifeOf(600), snapshots: [300, 400], compactTo: 400 },
	});

describe("a directory in the place of a file", () => {
	it.each<[string, () => string]>([
		["identity.json", () => replaced(at("identity.json"))],
		["log.json", () => replaced(at("wal", "log.json"))],
		[
			"the oldest segment",
			() => replaced(ground.files("wal", ".wal")[0] ?? ""),
		],
		["the newest segment", () => replaced(newest("wal", ".wal"))],
		["the segment after the last", () => replaced(at("wal", "0000000005.wal"))],
	])(
		"called %s keeps raftd from starting, and the doctor says so, too",
		async (_, harm) => {
			await make();
			const path = harm();
			const refusal = await refusalOfStart();
			expect(refusal).toBeInstanceOf(OperatorError);
			const { message, state, next } = refusal as OperatorError;
			expect(message).toContain(path);
			expect(message).toContain("is a directory");
			expect(message).not.toContain("after index 0");
			expect(state).toBeDefined();
			expect(next).toBeDefined();
			const { code, stdout } = await ground.run("doctor", "--json");
			expect(code).toBe(11);
			const { problems } = JSON.parse(stdout);
			const told = problems.find(
				({ file }: { file: string }) =>
					file === path.replace(ground.directory, "DIR"),
			);
			expect(told.what).toContain("is a directory");
		},
	);

	it("called like a snapshot is passed over by both, with a sentence", async () => {
		await makeDirectory(ground.directory, {
			...{ entries: lifeOf(600), snapshots: [300, 400] },
		});
		const path = replaced(newest("snapshots", ".snapshot"));
		const warnings: string[] = [];
		expect(await refusalOfStart(warnings)).toBeNull();
		expect(warnings).toContainEqual(expect.stringContaining(path));
		const { code, stdout } = await ground.run("doctor", "--json");
		expect(code).toBe(10);
		expect(JSON.parse(stdout).problems).toMatchObject([
			{ severity: "repairable", what: "it is a directory" },
		]);
	});

	it.each<[string, () => string]>([
		["a segment before the first", () => replaced(at("wal", "0000000001.wal"))],
		["a file that was begun", () => replaced(at("wal", "log.tmp"))],
		[
			"a snapshot that was begun",
			() => replaced(at("snapshots", `${"a".repeat(32)}.tmp`)),
		],
	])("called like %s is not removed as if it were one", async (_, harm) => {
		await make();
		const path = harm();
		expect(await refusalOfStart()).toMatchObject({
			kind: "refused",
			message: expect.stringContaining(path),
			next: expect.stringContaining("move it away"),
		});
	});
});

it("a file in the place of the log's directory is named by both", async () => {
	await make();
	renameSync(at("wal"), at("old"));
	writeFileSync(at("wal"), "");
	expect(await refusalOfStart()).toMatchObject({
		message: expect.stringContaining(`is not a directory: ${at("wal")}`),
	});
	const said = await ground.run("doctor").catch((error: unknown) => error);
	expect(said).toMatchObject({
		...{ kind: "usage", message: `${at("wal")} is no directory` },
	});
});

/** As somebody who owns the directory, yet not all that is in it. */
async function asAnother<Result>(work: () => Promise<Result>): Promise<Result> {
	const isRoot = process.getuid?.() === 0;
	if (isRoot) {
		const all = readdirSync(ground.directory, { recursive: true });
		for (const name of ["", ...all.map(String)])
			chownSync(at(name), 65_534, -1);
		process.seteuid?.(65_534);
	}
	try {
		return await work();
	} finally {
		if (isRoot) process.seteuid?.(0);
	}
}

describe("a file that this user may not read", () => {
	it.each<[string, () => string]>([
		["the identity", () => at("identity.json")],
		["log.json", () => at("wal", "log.json")],
		["a segment", () => newest("wal", ".wal")],
		["a snapshot", () => newest("snapshots", ".snapshot")],
	])("is named by the start, and passes for no damage: %s", async (_, file) => {
		await make();
		const path = file();
		chmodSync(path, 0);
		const start = await asAnother(refusalOfStart);
		chmodSync(path, 0o600);
		expect(start).toMatchObject({
			kind: "refused",
			message: `this user may not use ${path}`,
			next: expect.stringContaining("to the user that runs raftd"),
		});
	});
});

describe("a log that was removed", () => {
	it("is one problem, and nothing else is said to be wrong", async () => {
		await makeDirectory(ground.directory, {
			...{ entries: lifeOf(600), snapshots: [400] },
		});
		rmSync(at("wal"), { recursive: true });
		const { code, stdout } = await ground.run("doctor", "--json");
		const { problems, alignment } = JSON.parse(stdout);
		expect(problems).toMatchObject([
			{ severity: "damaged", what: "the log of node n1 is gone" },
		]);
		expect({ code, alignment }).toEqual({ code: 11, alignment: null });
		const refusal = await refusalOfStart();
		expect(refusal).toMatchObject({
			message: `the log of node n1 is gone from ${at("wal")}`,
			next: problems[0].next,
		});
	});

	it.each<[string, () => string, number | null]>([
		["all segments", () => "0000000003.wal", null],
		["the newest", () => "0000000004.wal", 456],
	])(
		"in part, %s, is told the same by start and doctor",
		async (which, name, index) => {
			await make();
			if (which === "all segments")
				for (const path of ground.files("wal", ".wal")) rmSync(path);
			else rmSync(newest("wal", ".wal"));
			const { stdout } = await ground.run("doctor", "--json");
			const { problems } = JSON.parse(stdout);
			expect(problems).toMatchObject([
				{ what: `the segment ${name()} is missing`, index },
			]);
			const after = index === null ? "" : `, after index ${index}`;
			expect(await refusalOfStart()).toMatchObject({
				message: `the log is damaged: the segment ${name()} is missing, in ${at("wal", name())} at offset 0${after}`,
			});
		},
	);
});
