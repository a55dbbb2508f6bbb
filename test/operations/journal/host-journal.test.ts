import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { OperationContext } from "../../../src/operations/context.js";
import { down } from "../../../src/operations/down.js";
import { drain } from "../../../src/operations/drain.js";
import { onHosts } from "../../../src/operations/journal/host-journal.js";
import {
	type OperationRecord,
	recordVersion,
} from "../../../src/operations/journal/record.js";
import {
	heldLocks,
	releaseHeldLocks,
} from "../../../src/operations/lock-status.js";
import { listOperations } from "../../../src/operations/operations.js";
import { rollingRestart } from "../../../src/operations/rolling-restart.js";
import { status } from "../../../src/operations/status.js";
import { transferLeader } from "../../../src/operations/transfer-leader.js";
import { FakeFiles } from "../../fakes/fake-files.js";
import { mortal } from "../../fakes/mortal.js";
import { failureOf, type Operating, operating } from "../operating.js";

const record: OperationRecord = {
	...{ version: recordVersion, id: "t1-a", operation: "snapshot restore" },
	...{ text: "snapshot restore /b.snapshot", arguments: {}, memo: {} },
	...{ skip: [], state: "running", plan: [], finished: [] },
	attempts: [
		{
			...{ as: "begin", holder: "bob@desk:2", host: "desk" },
			...{ atMs: 0, release: "0.1.0" },
		},
	],
	...{ step: "n2/swap", error: null, report: null },
};
const restore = { operation: record.text, lockWaitMs: 0 };

/** A whole cluster, and hosts with a journal of their own. */
interface Ground {
	readonly world: Operating;
	readonly files: FakeFiles;
	readonly context: OperationContext;
}

let ground: Ground;
let letGo: () => void;
beforeEach(() => {
	const world = operating();
	const files = new FakeFiles();
	const machines = {
		host: async (name: string) => files.host(name),
		service: world.machines.service.bind(world.machines),
	};
	ground = { world, files, context: { ...world.context, machines } };
	letGo = () => undefined;
});
afterEach(() => letGo());

/** Bob restores, and is killed on the way. */
async function killedRestore(): Promise<void> {
	const bob = mortal(ground.context);
	await new Promise<void>((held) => {
		void onHosts.withLock(bob.context, restore, async (lock) => {
			await onHosts.journal(bob.context, lock).write(record, "begins");
			bob.kill();
			held();
		});
	});
}

/** Bob restores, until `letGo` is called. Resolves once he has begun. */
async function restoring(): Promise<{ readonly ended: Promise<void> }> {
	const holder = { holder: "bob@desk:2", host: "desk" };
	const bob = { ...ground.context, holder };
	let ended: Promise<void> = Promise.resolve();
	await new Promise<void>((begun) => {
		ended = onHosts.withLock(bob, restore, async (lock) => {
			const journal = onHosts.journal(bob, lock);
			lock.setStep("n2/swap");
			await journal.write(record, "begins");
			begun();
			await new Promise<void>((resolve) => {
				letGo = resolve;
				lock.signal.addEventListener("abort", () => resolve());
			});
			if (!lock.signal.aborted)
				await journal.write({ ...record, state: "done" });
		});
	});
	return { ended };
}

describe("an operation on the hosts that was killed", () => {
	it("stands in the way of every operation of the cluster, which says how to go on", async () => {
		await killedRestore();
		const { context, world } = ground;
		for (const work of [
			() => transferLeader(context, { to: "n3", lockWaitMs: 0 }),
			() => drain(context, { nodes: ["n2"], forMs: 1_000, lockWaitMs: 0 }),
			() =>
				rollingRestart(context, {
					...{ nodes: [], skip: [], lockWaitMs: 0 },
				}),
		]) {
			const error = await failureOf(work());
			expect(error.exitCode).toBe(14);
			expect(error.message).toBe(
				'"snapshot restore /b.snapshot" is not finished: it was killed, at n2/swap; its record is on the hosts',
			);
			expect(error.next).toContain("raftctl operation resume");
			expect(error.next).toContain("raftctl operation abort");
		}
		expect(world.cluster.newestToken).toBe(0);
	});

	it("is seen by status, as a problem, and is listed beside what the cluster keeps", async () => {
		const { context } = ground;
		await transferLeader(context, { to: "n3", lockWaitMs: 0 });
		await killedRestore();
		const { healthy, operation, problems } = await status(context);
		expect(operation).toMatchObject({
			...{ text: record.text, state: "killed", keptBy: "hosts" },
			next: [
				"raftctl operation resume -c cluster.yaml",
				"raftctl operation abort -c cluster.yaml",
			],
		});
		expect(healthy).toBe(false);
		expect(problems).toEqual([
			'"snapshot restore /b.snapshot" is not finished: it was killed at n2/swap',
		]);
		expect(
			(await listOperations(context)).map(({ state, keptBy }) => [
				...[state, keptBy],
			]),
		).toEqual(
			expect.arrayContaining([
				["killed", "hosts"],
				["done", undefined],
			]),
		);
	});

	it("hinders nobody who needs no host where none can be reached", async () => {
		await killedRestore();
		const { OperatorError } = await import("../../../src/errors.js");
		const machines = {
			...ground.context.machines,
			host: () => Promise.reject(new OperatorError("unreachable", "silent")),
		};
		const context = { ...ground.context, machines };
		await transferLeader(context, { to: "n3", lockWaitMs: 0 });
	});
});

describe("an operation on the hosts that is under way", () => {
	it("is named to whoever comes meanwhile, with exit code 13, and is waited for as long as wished", async () => {
		const { ended } = await restoring();
		const { clock } = ground.world;
		const begin = (lockWaitMs: number) =>
			transferLeader(ground.context, { to: "n3", lockWaitMs });
		const error = await failureOf(begin(0));
		expect(error.exitCode).toBe(13);
		expect(error.message).toContain("/b.snapshot by bob@desk:2");
		void clock.sleep(40_000).then(() => letGo());
		await begin(120_000);
		expect(clock.now()).toBeGreaterThanOrEqual(40_000);
		await ended;
	});

	it("is not ended by down, which is for those who have nothing in hand", async () => {
		const { ended } = await restoring();
		const { context, world } = ground;
		const error = await failureOf(down(context, { lockWaitMs: 0 }));
		expect(error.exitCode).toBe(13);
		expect(world.cluster.node("n1").running).toBe(true);
		letGo();
		await ended;
		await killedRestore();
		const { stopped } = await down(context, { lockWaitMs: 0 });
		expect(stopped).toContain("n1");
	});

	it("is running by the word of status, and nothing is to be done about it", async () => {
		const { ended } = await restoring();
		const { healthy, operation } = await status(ground.context);
		expect(operation).toMatchObject({ state: "running", next: [] });
		expect(healthy).toBe(true);
		letGo();
		await ended;
	});
});

describe("the lock on the hosts, as people see it", () => {
	it("is shown beside the cluster's, with its step and whether its holder lives", async () => {
		expect(await heldLocks(ground.context)).toEqual({
			...{ lock: null, hosts: null },
		});
		const { ended } = await restoring();
		await ground.world.clock.sleep(10_000);
		expect(await heldLocks(ground.context)).toMatchObject({
			lock: null,
			hosts: { holder: "bob@desk:2", step: "n2/swap", isAlive: true },
		});
		letGo();
		await ended;
		await killedRestore();
		expect(await heldLocks(ground.context)).toMatchObject({
			hosts: { holder: "bob@desk:2", isAlive: false },
		});
	});

	it("is shown without a quorum, too", async () => {
		await killedRestore();
		for (const id of ["n1", "n2", "n3"]) ground.world.cluster.stop(id);
		expect(await heldLocks(ground.context)).toMatchObject({
			...{ lock: null, hosts: { holder: "bob@desk:2" } },
		});
		ground.files.remove("/state/operation.lock");
		const error = await failureOf(heldLocks(ground.context));
		expect(error.kind).toBe("unreachable");
	});

	it("can be taken from its holder, whose operation ends and stays unfinished", async () => {
		const { ended } = await restoring();
		const asked: string[] = [];
		const released = await releaseHeldLocks(
			ground.context,
			async ({ holder }) => void asked.push(holder),
		);
		expect(asked).toEqual(["bob@desk:2"]);
		expect(released.hosts).toMatchObject({ holder: "bob@desk:2" });
		await ended;
		expect(await heldLocks(ground.context)).toMatchObject({ hosts: null });
		const [view] = await listOperations(ground.context);
		expect(view).toMatchObject({ state: "killed", unfinished: true });
	});
});
