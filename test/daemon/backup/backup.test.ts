import { beforeEach, describe, expect, it } from "vitest";
import {
	Backup,
	type BackupOptions,
} from "../../../src/daemon/backup/backup.js";
import type { Work } from "../../../src/daemon/backup/work.js";
import type {
	ControlState,
	ScheduledSnapshot,
	SnapshotSchedule,
} from "../../../src/machines/control.js";
import type { SnapshotFile } from "../../../src/storage/snapshots/snapshot-store.js";
import { ScriptedReplica } from "../../fakes/scripted-replica.js";
import { owner } from "./copies.js";

const hour = 3_600_000;
const settleMs = 2000;
const begin = 1_700_000_000_000;
const plain: SnapshotSchedule = {
	...{ intervalMs: hour, keep: 3, directory: "/backups", command: [] },
	s3: null,
};
const target = {
	...{ endpoint: "http://s3:9000", bucket: "b", prefix: "", region: "" },
};

let replica: ScriptedReplica;
let nowMs: number;
let works: Work[];
/** How each kind of work ends; by default well. */
let ends: Partial<Record<Work["kind"], () => Promise<void>>>;
let openFiles: number;
let said: { level: string; message: string; fields: unknown }[];

beforeEach(() => {
	replica = new ScriptedReplica();
	nowMs = 0;
	works = [];
	ends = {};
	openFiles = 0;
	said = [];
});

const state = () => replica.controlState() as ControlState;

function schedule(changes: Partial<SnapshotSchedule> | null = {}): void {
	state().snapshotSchedule = changes === null ? null : { ...plain, ...changes };
}

function start(changes: Partial<BackupOptions> = {}): Backup {
	return new Backup({
		...{ replica, owner, settleMs, maxBytesPerSecond: 1e9 },
		...{ snapshotsDirectory: "/data/snapshots", environment: { PATH: "/bin" } },
		openSnapshot: async () => {
			openFiles += 1;
			return {
				manifest: { id: "ab".repeat(16) },
				close: async () => {
					openFiles -= 1;
				},
			} as SnapshotFile;
		},
		authority: async () => null,
		credentials: async () => ({
			...{ accessKeyId: "key", secretAccessKey: "hunter2" },
		}),
		work: async (work, signal) => {
			works.push(work);
			const end = ends[work.kind];
			if (end !== undefined) await until(signal, end());
			const file = "/backups/shop-10.snapshot";
			return work.kind === "copy" ? { file, bytes: 4096, removed: [] } : null;
		},
		diagnose: (level, message, fields) => said.push({ level, message, fields }),
		...{ nowMs: () => nowMs, wallMs: () => begin + nowMs, ...changes },
	});
}

/** As the real work does: it ends when it is told to. */
function until(signal: AbortSignal, end: Promise<void>): Promise<void> {
	return new Promise((resolve, reject) => {
		signal.addEventListener("abort", () => reject(signal.reason));
		end.then(resolve, reject);
	});
}

const never = () => new Promise<void>(() => {});
const turn = () => new Promise((resolve) => setImmediate(resolve));

async function turns(): Promise<void> {
	for (let left = 40; left > 0; left -= 1) await turn();
}

/** Time passes, and a look is taken at its end. */
async function pass(backup: Backup, passedMs: number): Promise<void> {
	nowMs += passedMs;
	backup.look();
	await turns();
}

/** A leader that has led for long enough. */
async function settled(changes: Partial<BackupOptions> = {}): Promise<Backup> {
	const backup = start(changes);
	await pass(backup, 0);
	await pass(backup, settleMs);
	return backup;
}

const kinds = () => works.map(({ kind }) => kind);
const last = (): ScheduledSnapshot | null => state().scheduledSnapshot;

describe("the schedule's snapshot", () => {
	it("is taken by the leader, and every node can tell of it", async () => {
		schedule();
		await settled();
		expect(kinds()).toEqual(["copy"]);
		expect(works[0]?.order).toMatchObject({
			source: `/data/snapshots/00000000000000000010-${"ab".repeat(16)}.snapshot`,
			...{ index: 10, directory: "/backups", keep: 3 },
		});
		expect(last()).toEqual({
			...{ succeededAtMs: begin + settleMs, index: 10, node: "n1" },
			...{ file: "/backups/shop-10.snapshot", bytes: 4096 },
			...{ attemptedAtMs: begin + settleMs, fault: "" },
		});
		expect(openFiles).toBe(0);
	});

	it("is taken again when the interval has passed, and not before", async () => {
		schedule();
		const backup = await settled();
		await pass(backup, hour - 1);
		expect(works).toHaveLength(1);
		await pass(backup, 1);
		expect(works).toHaveLength(2);
	});

	it("is nobody's business without a schedule", async () => {
		await settled();
		expect(works).toEqual([]);
		expect(last()).toBeNull();
	});

	it("is not a follower's business", async () => {
		replica = new ScriptedReplica("follower");
		schedule();
		const backup = await settled();
		await pass(backup, 10 * hour);
		expect(works).toEqual([]);
	});

	it("waits until the leader before can have noticed that it is none", async () => {
		schedule();
		const backup = start();
		await pass(backup, 0);
		await pass(backup, settleMs - 1);
		expect(works).toEqual([]);
		// Deposed and elected again in between: the time begins anew.
		replica.raft = { ...replica.raft, term: 5 };
		await pass(backup, settleMs - 1);
		await pass(backup, settleMs - 1);
		expect(works).toEqual([]);
		await pass(backup, 1);
		expect(works).toHaveLength(1);
	});

	it("is one at a time", async () => {
		schedule();
		ends.copy = never;
		const backup = await settled();
		await pass(backup, 5 * hour);
		expect(works).toHaveLength(1);
		await backup.close();
	});

	it("goes on to the command and to S3 once the copy is whole", async () => {
		schedule({ command: ["/hook", "-v"], s3: target });
		await settled();
		expect(kinds()).toEqual(["copy", "hook", "upload"]);
		expect(works[1]?.order).toMatchObject({
			...{ command: ["/hook", "-v"], directory: "/backups" },
			environment: {
				...{ PATH: "/bin", RAFTCTL_SNAPSHOT: "/backups/shop-10.snapshot" },
				...{ RAFTCTL_CLUSTER: "shop", RAFTCTL_INDEX: "10" },
			},
		});
		expect(works[2]?.order).toMatchObject({
			...{ file: "/backups/shop-10.snapshot", keep: 3, target },
		});
		expect(last()).toMatchObject({ fault: "" });
	});
});

describe("a fault", () => {
	it("is told, and the last success stays", async () => {
		schedule();
		const backup = await settled();
		const success = last();
		ends.copy = () => Promise.reject(new Error("/backups is not there on n1"));
		await pass(backup, hour);
		expect(last()).toEqual({
			...success,
			attemptedAtMs: begin + nowMs,
			fault: "/backups is not there on n1",
		});
		expect(openFiles).toBe(0);
	});

	it("is followed by another try after a tenth of the interval", async () => {
		schedule();
		ends.copy = () => Promise.reject(new Error("no room"));
		const backup = await settled();
		expect(last()).toMatchObject({ succeededAtMs: null, fault: "no room" });
		await pass(backup, hour / 10 - 1);
		expect(works).toHaveLength(1);
		ends = {};
		await pass(backup, 1);
		expect(last()).toMatchObject({ succeededAtMs: begin + nowMs, fault: "" });
	});

	it("of the command is no success, though the copy is there", async () => {
		schedule({ command: ["/hook"], s3: target });
		ends.hook = () =>
			Promise.reject(new Error("the command /hook ended with 1"));
		await settled();
		expect(kinds()).toEqual(["copy", "hook"]);
		expect(last()).toMatchObject({
			...{ succeededAtMs: null, fault: "the command /hook ended with 1" },
		});
	});

	it("has no secret in it, and is no longer than the log takes", async () => {
		schedule({ s3: target });
		const words = `denied: hunter2 ${"x".repeat(5000)}`;
		ends.upload = () => Promise.reject(new Error(words));
		await settled();
		expect(last()?.fault).toMatch(/^denied: \*\*\* x+$/);
		expect(JSON.stringify(said)).not.toContain("hunter2");
	});

	it("of a snapshot that cannot be taken is told, too", async () => {
		schedule();
		replica.snapshotOutcome = { kind: "failed", message: "the disk is full" };
		await settled();
		expect(last()?.fault).toBe(
			"n1 could not take a snapshot: the disk is full",
		);
	});

	it("of missing credentials says what to set", async () => {
		schedule({ s3: target });
		const { s3Credentials } = await import(
			"../../../src/daemon/backup/credentials.js"
		);
		await settled({ credentials: () => s3Credentials(undefined, {}, "n1") });
		expect(last()?.fault).toMatch(
			/^n1 has no credentials for S3: set AWS_ACCESS_KEY_ID/,
		);
	});
});

describe("a leader that is deposed", () => {
	it("gives up its copy, and writes nothing down", async () => {
		schedule();
		ends.copy = never;
		const backup = await settled();
		replica.raft = { ...replica.raft, role: "follower", term: 4 };
		await pass(backup, 1000);
		expect(backup.isRunning).toBe(false);
		expect(last()).toBeNull();
		expect(openFiles).toBe(0);
	});

	it("gives up its copy even when it leads again at the next look", async () => {
		schedule();
		ends.copy = never;
		const backup = await settled();
		replica.raft = { ...replica.raft, term: 6 };
		await pass(backup, 1000);
		expect(backup.isRunning).toBe(false);
		expect(last()).toBeNull();
	});

	it("begins nothing that a quorum does not confirm", async () => {
		schedule();
		replica.readIndexAnswer = null;
		const backup = await settled();
		expect(works).toEqual([]);
		expect(last()).toBeNull();
		// And does not ask without end.
		await pass(backup, 9_999);
		replica.readIndexAnswer = 10;
		backup.look();
		await turns();
		expect(works).toEqual([]);
		await pass(backup, 1);
		expect(works).toHaveLength(1);
	});

	it.each(["hook", "upload"] as const)(
		"does not begin the %s",
		async (kind) => {
			schedule({ command: kind === "hook" ? ["/hook"] : [], s3: target });
			let copied = () => {};
			ends.copy = () =>
				new Promise((resolve) => {
					copied = resolve;
				});
			const backup = await settled();
			// It believes that it leads; only the quorum knows better.
			replica.readIndexAnswer = null;
			copied();
			await turns();
			expect(kinds()).toEqual(["copy"]);
			expect(last()).toBeNull();
			await backup.close();
		},
	);

	it("is not fooled by the new leader's answer", async () => {
		schedule();
		const backup = await settled();
		works.length = 0;
		const readIndex = replica.readIndex.bind(replica);
		replica.readIndex = (limitMs, done) =>
			readIndex(limitMs, (index) => {
				replica.raft = { ...replica.raft, role: "follower", term: 9 };
				done(index);
			});
		await pass(backup, hour);
		expect(works).toEqual([]);
	});
});

describe("the end of a schedule, or of the node", () => {
	it("ends what is under way", async () => {
		schedule();
		ends.copy = never;
		const backup = await settled();
		schedule(null);
		await pass(backup, 1000);
		expect(backup.isRunning).toBe(false);
		expect(last()).toBeNull();
	});

	it("is waited for when the node stops, and nothing begins behind it", async () => {
		schedule();
		ends.copy = never;
		const backup = await settled();
		await backup.close();
		expect(backup.isRunning).toBe(false);
		expect(openFiles).toBe(0);
		await pass(backup, 5 * hour);
		expect(works).toHaveLength(1);
	});
});

describe("an outcome that does not get into the log", () => {
	it("is followed by a pause, not by one snapshot after another", async () => {
		schedule();
		replica.refuseControl = { kind: "unknown", message: "no quorum" };
		const backup = await settled();
		for (let left = 9; left > 0; left -= 1) await pass(backup, 1000);
		expect(works).toHaveLength(1);
		expect(said.some(({ level }) => level === "warn")).toBe(true);
		replica.refuseControl = null;
		await pass(backup, 1000);
		expect(works).toHaveLength(2);
		expect(last()).toMatchObject({ fault: "" });
	});
});
