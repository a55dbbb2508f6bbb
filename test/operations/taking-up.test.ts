import { describe, expect, it } from "vitest";
import { takenUpText } from "../../src/cli/taken-up-text.js";
import type { OperatorError } from "../../src/errors.js";
import type { OperationEvent } from "../../src/operations/events.js";
import { parseRecord } from "../../src/operations/journal/record.js";
import { releaseHeldLocks } from "../../src/operations/lock-status.js";
import type { OperationReport } from "../../src/operations/operation.js";
import {
	listOperations,
	showOperation,
} from "../../src/operations/operations.js";
import { rollingRestart } from "../../src/operations/rolling-restart.js";
import {
	deadHolderWaitMs,
	pauseUnfinished,
	planTakeUp,
	takeUpUnfinished,
} from "../../src/operations/taking-up.js";
import { mortal } from "../fakes/mortal.js";
import { failureOf, type Operating, operating } from "./operating.js";

const whole = { nodes: [], skip: [], lockWaitMs: 0 } as const;
const wish = { id: null, lockWaitMs: deadHolderWaitMs } as const;

/** Every boundary of a step: its begin and its end. */
function boundaries(events: readonly OperationEvent[]): readonly string[] {
	return events.flatMap((event) =>
		event.type === "step-started" || event.type === "step-finished"
			? [`${event.type} ${event.step}`]
			: [],
	);
}

async function killedAt(boundary: string): Promise<Operating> {
	const world = operating();
	const operator = mortal(world.context);
	await new Promise<void>((resolve) => {
		world.onEvent = (event) => {
			if (event.type !== "step-started" && event.type !== "step-finished")
				return;
			if (`${event.type} ${event.step}` !== boundary) return;
			operator.kill();
			resolve();
		};
		void rollingRestart(operator.context, whole);
	});
	world.onEvent = () => undefined;
	return world;
}

async function allBoundaries(): Promise<readonly string[]> {
	const { context, events } = operating();
	await rollingRestart(context, whole);
	return boundaries(events);
}

function expectWhole({ cluster }: Operating): void {
	for (const { id } of cluster.nodes.values()) {
		expect(cluster.isReady(id)).toBe(true);
		expect(cluster.isDraining(id)).toBe(false);
	}
	expect(cluster.lockNow()).toBeNull();
	expect(cluster.quorumLosses).toBe(0);
	expect(cluster.operations.some(({ unfinished }) => unfinished)).toBe(false);
}

describe("a rolling restart whose operator was killed", () => {
	it("at any step is ended by resume: every node restarted, none of them twice", async () => {
		for (const boundary of await allBoundaries()) {
			const world = await killedAt(boundary);
			await takeUpUnfinished(world.context, { ...wish, as: "resume" });
			expectWhole(world);
			for (const { id } of world.cluster.nodes.values())
				expect([boundary, id, world.cluster.node(id).process]).toEqual([
					...[boundary, id, 2],
				]);
		}
	});

	it("at any step is given up by abort: every node up and in service, no more restarts", async () => {
		for (const boundary of await allBoundaries()) {
			const world = await killedAt(boundary);
			const before = world.machines.log.filter((line) =>
				line.startsWith("stop"),
			).length;
			await takeUpUnfinished(world.context, { ...wish, as: "abort" });
			expectWhole(world);
			const stops = world.machines.log.filter((line) =>
				line.startsWith("stop"),
			);
			// The one stop that the killed operator had asked for may come to its end afterwards.
			expect(stops.length - before).toBeLessThanOrEqual(1);
			const [stored] = world.cluster.operations;
			expect(stored && parseRecord(stored)).toMatchObject({
				state: "aborted",
				attempts: [{ as: "begin" }, { as: "abort" }],
			});
		}
	});

	it("is shown as killed once its lock has ended, with the step that it was at", async () => {
		const world = await killedAt("step-finished n2/restart");
		await world.context.clock.sleep(30_000);
		const [view] = await listOperations(world.context);
		expect(view).toMatchObject({ state: "killed", unfinished: true });
		expect(view?.record).toMatchObject({
			operation: "rolling-restart",
			step: "n2/restart",
			attempts: [{ holder: "bob@desk:2", as: "begin" }],
		});
	});

	it("keeps others from beginning, who are told the two ways on", async () => {
		const world = await killedAt("step-finished n2/drain");
		const error = await failureOf(
			rollingRestart(world.context, { ...whole, lockWaitMs: 30_000 }),
		);
		expect(error.kind).toBe("partial");
		expect(error.next).toContain("raftctl operation resume");
		expect(error.next).toContain("raftctl operation abort");
	});

	it("is not asked about while it is in somebody's hands, who is named", async () => {
		const world = operating();
		const bob = { holder: "bob@desk:2", host: "desk" };
		const asked: string[] = [];
		let failure: OperatorError | null = null;
		world.onEvent = (event) => {
			if (event.type !== "step-started" || event.step !== "n2/ready") return;
			world.onEvent = () => undefined;
			void failureOf(
				takeUpUnfinished(world.context, {
					...{ id: null, as: "abort", lockWaitMs: 0 },
					confirm: async () => void asked.push("give it up?"),
				}),
			).then((error) => {
				failure = error;
			});
		};
		await rollingRestart({ ...world.context, holder: bob }, whole);
		expect(failure).toMatchObject({
			...{ kind: "locked", message: expect.stringContaining("bob@desk:2") },
		});
		expect(asked).toEqual([]);
	});

	it("shows its plan once when it is taken up", async () => {
		const world = await killedAt("step-finished n2/admit");
		const shown = world.events.length;
		await takeUpUnfinished(world.context, { ...wish, as: "resume" });
		const plans = world.events
			.slice(shown)
			.filter(({ type }) => type === "plan");
		expect(plans).toHaveLength(1);
	});

	it("can be given up though a node does not become ready, which is told", async () => {
		const world = await killedAt("step-finished n2/restart");
		world.cluster.node("n2").neverReady = true;
		const report = await takeUpUnfinished(world.context, {
			...{ ...wish, as: "abort" },
		});
		expect(report).toMatchObject({
			unconfirmed: [expect.stringContaining("n2"), expect.anything()],
		});
		const text = takenUpText("abort", report as OperationReport);
		expect(text).not.toContain("nothing is half done");
		expect(text).toMatch(/^ {2}n2: /m);
		expect(world.cluster.operations.some(({ unfinished }) => unfinished)).toBe(
			false,
		);
		expect(world.cluster.lockNow()).toBeNull();
	});

	it("shows which nodes are done and which remain, before anything is asked", async () => {
		const world = await killedAt("step-finished n2/admit");
		let shown: OperationEvent | undefined;
		await takeUpUnfinished(world.context, {
			...{ ...wish, as: "resume" },
			confirm: async () => {
				shown = world.events.at(-1);
			},
		});
		expect(shown).toMatchObject({
			type: "plan",
			soFar: ["restarted and back in service: n2", "not yet: n1, n3"],
		});
		const aborted = await killedAt("step-finished n2/restart");
		const plan = await planTakeUp(aborted.context, { ...wish, as: "abort" });
		expect(plan).toMatchObject({
			soFar: ["restarted and back in service: none", "not yet: n1, n2, n3"],
		});
	});

	it("is planned anew for resume, without what is done", async () => {
		const world = await killedAt("step-finished n2/admit");
		const plan = await planTakeUp(world.context, { ...wish, as: "resume" });
		expect(plan.plan.map(({ node }) => node)).not.toContain("n2");
		expect(plan.plan.map(({ node }) => node)).toContain("n1");
	});
});

describe("an operation that ended by itself", () => {
	it("is finished in the journal, with its plan and what it did cost", async () => {
		const { context } = operating();
		const { id } = (await rollingRestart(context, whole)) as unknown as {
			id: string;
		};
		const view = await showOperation(context, id);
		expect(view).toMatchObject({ state: "done", unfinished: false });
		expect(view.record?.plan.length).toBeGreaterThan(10);
		expect(view.record?.finished).toEqual(
			view.record?.plan.map((step) => step.id),
		);
		expect(view.record?.report).toMatchObject({
			nodes: [{ node: "n2" }, {}, {}],
		});
	});

	it("is failed, and keeps nobody from anything, when it had touched nothing", async () => {
		const { cluster, context } = operating();
		cluster.connect(3, "n2");
		cluster.node("n2").stubborn = 3;
		await failureOf(
			rollingRestart(context, {
				...{ ...whole, nodes: ["n2"] },
				settings: { drainTimeoutMs: 1_000 },
			}),
		);
		expect((await showOperation(context, null)).state).toBe("failed");
		cluster.node("n2").stubborn = 0;
		await rollingRestart(context, whole);
	});

	it("is stopped when a node was restarted already, and resume restarts the others only", async () => {
		const world = operating();
		const { cluster, context } = world;
		cluster.node("n3").neverReady = true;
		world.onEvent = (event) => {
			if (event.type === "step-finished" && event.step === "n2/admit")
				cluster.node("n3").neverReady = true;
		};
		cluster.node("n3").neverReady = false;
		await failureOf(rollingRestart(context, whole));
		expect((await showOperation(context, null)).state).toBe("stopped");
		cluster.node("n3").neverReady = false;
		world.onEvent = () => undefined;
		await takeUpUnfinished(context, { ...wish, as: "resume" });
		expectWhole(world);
		expect(cluster.node("n2").process).toBe(2);
	});
});

describe("a pause", () => {
	it("stops the operation at a step boundary with nothing half done, and resume goes on", async () => {
		const world = operating();
		const { cluster, context } = world;
		world.onEvent = (event) => {
			if (event.type === "step-started" && event.step === "n2/ready")
				void pauseUnfinished(context, null);
		};
		const error = await failureOf(rollingRestart(context, whole));
		expect(error.message).toContain("paused");
		expect((await showOperation(context, null)).state).toBe("paused");
		expect(cluster.lockNow()).toBeNull();
		for (const { id } of cluster.nodes.values())
			expect(cluster.isDraining(id)).toBe(false);
		world.onEvent = () => undefined;
		await takeUpUnfinished(context, { ...wish, as: "resume" });
		expectWhole(world);
		for (const { process } of cluster.nodes.values()) expect(process).toBe(2);
	});

	it("of nothing is refused", async () => {
		const { context } = operating();
		const error = await failureOf(pauseUnfinished(context, null));
		expect(error.kind).toBe("refused");
	});
});

describe("taking up", () => {
	it("is refused for what is finished, and twice", async () => {
		const { context } = operating();
		const nothing = await failureOf(
			takeUpUnfinished(context, { ...wish, as: "abort" }),
		);
		expect(nothing.message).toBe("no operation is unfinished");
		const world = await killedAt("step-started n2/drain");
		await takeUpUnfinished(world.context, { ...wish, as: "abort" });
		const [{ id } = { id: "" }] = await listOperations(world.context);
		const again = await failureOf(
			takeUpUnfinished(world.context, { ...{ ...wish, id, as: "abort" } }),
		);
		expect(again).toMatchObject({
			kind: "refused",
			message: expect.stringContaining("is finished already: aborted"),
		});
	});

	it("is refused for the record of a newer raftctl, which is shown all the same", async () => {
		const world = await killedAt("step-started n2/drain");
		world.cluster.operations = world.cluster.operations.map((stored) => ({
			...stored,
			record: JSON.stringify({ ...JSON.parse(stored.record), version: 2 }),
		}));
		const error = await failureOf(
			takeUpUnfinished(world.context, { ...wish, as: "resume" }),
		);
		expect(error.kind).toBe("refused");
		expect(error.message).toContain("newer raftctl");
		const [view] = await listOperations(world.context);
		expect(view).toMatchObject({ unfinished: true, record: null });
	});

	it("waits for a holder who is slow and alive, and then names him", async () => {
		const world = operating();
		const slow = mortal(world.context);
		world.onEvent = (event) => {
			// Every 4 s its lock is renewed meanwhile.
			if (event.type === "step-started" && event.step === "n2/drain")
				world.cluster.node("n2").stubborn = 1;
		};
		world.cluster.connect(1, "n2");
		const rolling = failureOf(
			rollingRestart(slow.context, {
				...{ ...whole, settings: { drainTimeoutMs: 60_000 } },
			}),
		);
		await world.context.clock.sleep(5_000);
		const error = await failureOf(
			takeUpUnfinished(world.context, { ...wish, as: "resume" }),
		);
		expect(error.kind).toBe("locked");
		expect(error.message).toContain("bob@desk:2");
		await rolling;
	});
});

describe("releasing the lock", () => {
	it("takes it from its holder, whose operation ends and stays unfinished", async () => {
		const world = operating();
		world.onEvent = (event) => {
			if (event.type !== "step-started" || event.step !== "n2/ready") return;
			void releaseHeldLocks(world.context, async () => undefined);
		};
		const error = await failureOf(rollingRestart(world.context, whole));
		expect(error.kind === "locked" || error.kind === "partial").toBe(true);
		const [stored] = world.cluster.operations;
		expect(stored?.unfinished).toBe(true);
	});

	it("does nothing where nobody holds it", async () => {
		const { context } = operating();
		const released = await releaseHeldLocks(context, async () => undefined);
		expect(released).toEqual({ lock: null, hosts: null });
	});
});
