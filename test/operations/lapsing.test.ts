import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { OperationContext } from "../../src/operations/context.js";
import { drain } from "../../src/operations/drain.js";
import type { OperationEvent } from "../../src/operations/events.js";
import { listOperations } from "../../src/operations/operations.js";
import { rollingRestart } from "../../src/operations/rolling-restart.js";
import { saveSnapshot } from "../../src/operations/snapshots/save.js";
import { scheduleSnapshots } from "../../src/operations/snapshots/schedule.js";
import { status } from "../../src/operations/status.js";
import {
	deadHolderWaitMs,
	pauseUnfinished,
	takeUpUnfinished,
} from "../../src/operations/taking-up.js";
import { transferLeader } from "../../src/operations/transfer-leader.js";
import { undrain } from "../../src/operations/undrain.js";
import { mortal } from "../fakes/mortal.js";
import { failureOf, type Operating, operating } from "./operating.js";

const whole = { nodes: [], skip: [] } as const;
const again = { id: null, lockWaitMs: deadHolderWaitMs };
const schedule = {
	...{ intervalMs: 60_000, keep: 3, directory: "/backups" },
	...{ command: [], s3: null },
};

type Work = (context: OperationContext) => Promise<unknown>;

/** Each with what its record says that was typed. */
const lapsing: readonly (readonly [string, Work])[] = [
	[
		"drain --node n2 --for 60s",
		(context) => drain(context, { nodes: ["n2"], ...minute }),
	],
	[
		"undrain --node n2",
		(context) => undrain(context, { nodes: ["n2"], lockWaitMs: 0 }),
	],
	[
		"transfer-leader n3",
		(context) => transferLeader(context, { to: "n3", lockWaitMs: 0 }),
	],
	[
		"snapshot schedule --every 60s --keep 3 --directory /backups",
		(context) => scheduleSnapshots(context, { schedule, lockWaitMs: 0 }),
	],
];
const minute = { forMs: 60_000, lockWaitMs: 0 };

function boundaryOf(event: OperationEvent): string | null {
	return event.type === "step-started" || event.type === "step-finished"
		? `${event.type} ${event.step}`
		: null;
}

/** n2 is drained, so that there is something to undrain; a drain moves connections. */
function prepared(text: string): Operating {
	const world = operating();
	world.cluster.connect(3, "n2");
	if (text.startsWith("undrain"))
		world.cluster.node("n2").drain.until = world.clock.now() + 600_000;
	return world;
}

async function boundariesOf(text: string, work: Work) {
	const { context, events } = prepared(text);
	await work(context);
	return events.flatMap((event) => boundaryOf(event) ?? []);
}

async function killedAt(
	text: string,
	work: Work,
	boundary: string,
): Promise<Operating> {
	const world = prepared(text);
	const operator = mortal(world.context);
	await new Promise<void>((resolve) => {
		world.onEvent = (event) => {
			if (boundaryOf(event) !== boundary) return;
			operator.kill();
			resolve();
		};
		void work(operator.context);
	});
	world.onEvent = () => undefined;
	return world;
}

describe.each(lapsing)("%s", (text, work) => {
	it("is in the journal, with who, what, its plan and what it did cost", async () => {
		const { context } = prepared(text);
		await work(context);
		const [view] = await listOperations(context);
		expect(view).toMatchObject({ state: "done", unfinished: false });
		const { record } = view ?? {};
		expect(record).toMatchObject({
			...{ text, attempts: [{ as: "begin", holder: "ann@desk:1" }] },
			report: { cost: { leaderlessMaxMs: expect.anything() } },
		});
		expect(record?.plan.length).toBeGreaterThan(0);
		expect(record?.finished).toEqual(record?.plan.map(({ id }) => id));
	});

	it("killed at any step stands in nobody's way once its lock and its lease are over, and is in the audit", async () => {
		for (const boundary of await boundariesOf(text, work)) {
			const world = await killedAt(text, work, boundary);
			const { clock, cluster, context } = world;
			// As long as a drain that came to its end is meant to last.
			await clock.sleep(60_000);
			cluster.node("n2").drain.until = 0;
			expect((await status(context)).problems).toEqual([]);
			await rollingRestart(context, { ...whole, lockWaitMs: 0 });
			const [roll, killed] = await listOperations(context);
			expect(roll).toMatchObject({ state: "done" });
			expect(killed).toMatchObject({ state: "lapsed", unfinished: false });
			expect(killed?.record?.attempts).toMatchObject([
				{ as: "begin", holder: "bob@desk:2" },
			]);
		}
	});

	it("killed at any step can be gone on with", async () => {
		for (const boundary of await boundariesOf(text, work)) {
			const world = await killedAt(text, work, boundary);
			await takeUpUnfinished(world.context, { ...again, as: "resume" });
			const [view] = await listOperations(world.context);
			expect([boundary, view?.state]).toEqual([boundary, "done"]);
			expectEffect(world, text);
		}
	});

	it("killed at any step can be given up, and leaves nothing drained", async () => {
		for (const boundary of await boundariesOf(text, work)) {
			const world = await killedAt(text, work, boundary);
			await takeUpUnfinished(world.context, { ...again, as: "abort" });
			const [view] = await listOperations(world.context);
			expect([boundary, view?.state]).toEqual([boundary, "aborted"]);
			if (text.startsWith("drain"))
				expect(world.cluster.isDraining("n2")).toBe(false);
			expect(world.cluster.lockNow()).toBeNull();
		}
	});
});

function expectEffect({ cluster }: Operating, text: string): void {
	const [word] = text.split(" ");
	if (word === "drain") expect(cluster.isDraining("n2")).toBe(true);
	if (word === "undrain") expect(cluster.isDraining("n2")).toBe(false);
	if (word === "transfer-leader") expect(cluster.leader).toBe("n3");
	if (word === "snapshot") expect(cluster.schedule).toEqual(schedule);
}

describe("an operation that lapses", () => {
	it("is told with what it left drained, and how that ends", async () => {
		const text = "drain --node n2 --for 60s";
		const world = await killedAt(
			text,
			(context) => drain(context, { nodes: ["n2"], ...minute }),
			"step-finished n2/leave",
		);
		await world.clock.sleep(deadHolderWaitMs);
		world.events.length = 0;
		await transferLeader(world.context, { to: "n3", lockWaitMs: 0 });
		expect(world.events).toContainEqual({
			...{ type: "warning", node: null },
			message: expect.stringMatching(
				/has lapsed: still drained: n2 for \d+ s more; raftctl undrain/,
			),
		});
	});

	it("is waited for while its operator lives, who is named", async () => {
		const world = operating();
		world.cluster.connect(1, "n2");
		world.cluster.node("n2").stubborn = 1;
		const { context } = world;
		const first = { ...context, holder: { holder: "bob@ci:7", host: "ci" } };
		const draining = failureOf(drain(first, { nodes: ["n2"], ...minute }));
		await world.clock.sleep(1_000);
		const error = await failureOf(
			transferLeader(context, { to: "n3", lockWaitMs: 0 }),
		);
		expect(error.exitCode).toBe(13);
		expect(error.message).toContain("drain --node n2 --for 60s by bob@ci:7");
		await draining;
		await transferLeader(context, { to: "n3", lockWaitMs: 0 });
	});

	it("is failed, not left, when it failed: nothing of it is to be taken up", async () => {
		const { cluster, context } = operating();
		cluster.connect(3, "n2");
		cluster.node("n2").stubborn = 3;
		await failureOf(drain(context, { nodes: ["n2"], ...minute }));
		const [view] = await listOperations(context);
		expect(view).toMatchObject({ state: "failed", unfinished: false });
		expect(view?.record?.error?.message).toContain("did not leave n2 in time");
		await transferLeader(context, { to: "n3", lockWaitMs: 0 });
	});

	it("that was paused is kept for whoever wished so", async () => {
		const world = operating();
		const { cluster, context } = world;
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/announce")
				void pauseUnfinished(context, null);
		};
		await failureOf(drain(context, { nodes: ["n2"], ...minute }));
		world.onEvent = () => undefined;
		expect(cluster.isDraining("n2")).toBe(false);
		const error = await failureOf(
			transferLeader(context, { to: "n3", lockWaitMs: 0 }),
		);
		expect(error).toMatchObject({ kind: "partial" });
		expect(error.message).toContain("it was paused");
		await takeUpUnfinished(context, { ...again, as: "resume" });
		expect(cluster.isDraining("n2")).toBe(true);
	});

	it("does not repeat a drain that an earlier attempt came to the end of", async () => {
		const [text, work] = lapsing[0] ?? [];
		if (text === undefined || work === undefined) throw new Error("no drain");
		const world = await killedAt(text, work, "step-finished n2/leave");
		const { until } = world.cluster.node("n2").drain;
		await takeUpUnfinished(world.context, { ...again, as: "resume" });
		expect(world.cluster.node("n2").drain.until).toBe(until);
	});

	it("can be given up though its node has died meanwhile", async () => {
		const [text, work] = lapsing[0] ?? [];
		if (text === undefined || work === undefined) throw new Error("no drain");
		const world = await killedAt(text, work, "step-finished n2/drain");
		world.cluster.stop("n2");
		await takeUpUnfinished(world.context, { ...again, as: "abort" });
		const [view] = await listOperations(world.context);
		expect(view).toMatchObject({ state: "aborted" });
	});

	it("can be given up where it is a save of a node with an alarm, and has saved nothing then", async () => {
		const directory = mkdtempSync(join(tmpdir(), "raftctl-lapsing-"));
		const saving = { node: "n2", file: "x", workingDirectory: directory };
		const work: Work = (context) =>
			saveSnapshot(context, { ...saving, skip: ["alarm"], lockWaitMs: 0 });
		const world = await killedAt("", work, "step-started n2/snapshot");
		await takeUpUnfinished(world.context, { ...again, as: "abort" });
		const [view] = await listOperations(world.context);
		expect(view).toMatchObject({ state: "aborted" });
		expect(readdirSync(directory)).toEqual([]);
		rmSync(directory, { recursive: true });
	});

	it("keeps nobody from being told of another that does not lapse", async () => {
		const world = operating();
		const operator = mortal(world.context);
		await new Promise<void>((resolve) => {
			world.onEvent = (event) => {
				if (boundaryOf(event) !== "step-finished n2/restart") return;
				operator.kill();
				resolve();
			};
			void rollingRestart(operator.context, { ...whole, lockWaitMs: 0 });
		});
		world.onEvent = () => undefined;
		const error = await failureOf(
			undrain(world.context, { nodes: ["n2"], lockWaitMs: 30_000 }),
		);
		expect(error.exitCode).toBe(14);
		expect(error.message).toContain('"rolling-restart" is not finished');
		expect(error.next).toContain("raftctl operation resume");
	});
});
