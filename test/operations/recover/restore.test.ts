import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takenUpText } from "../../../src/cli/taken-up-text.js";
import type { OperationContext } from "../../../src/operations/context.js";
import { readReachableHosts } from "../../../src/operations/journal/host-journal.js";
import type { OperationReport } from "../../../src/operations/operation.js";
import { listOperations } from "../../../src/operations/operations.js";
import { runOperation } from "../../../src/operations/run-operation.js";
import { restore } from "../../../src/operations/snapshots/restore.js";
import { restoreSnapshot } from "../../../src/operations/snapshots/restore-snapshot.js";
import {
	deadHolderWaitMs,
	takeUpUnfinished,
} from "../../../src/operations/taking-up.js";
import { up } from "../../../src/operations/up.js";
import { failureOf } from "../operating.js";
import { asideOf, DisasterGround } from "./disaster-ground.js";
import {
	boundariesOf,
	killedAt,
	killedAtStart,
	killedInRemoval,
} from "./killing.js";

const ids = ["n1", "n2", "n3"];
const wish = {
	...{ file: "/backup.snapshot", nodes: [], erase: true },
	foreign: null as string | null,
};
const work =
	(more: Partial<typeof wish> = {}) =>
	(context: OperationContext) =>
		runOperation(context, restore({ ...wish, ...more }), { lockWaitMs: 0 });
/** Some thirty runs, each killed at another boundary. */
const limitMs = 180_000;
const again = { id: null, lockWaitMs: deadHolderWaitMs };

let ground: DisasterGround;
beforeEach(() => {
	ground = fresh();
});
afterEach(() => {
	expect(ground.sins).toEqual([]);
	ground.dispose();
});

function fresh(): DisasterGround {
	const made = new DisasterGround();
	made.snapshot("/backup.snapshot");
	return made;
}

function expectRestored(): void {
	const { id } = ground.inventory();
	expect(id).toMatch(/^orders-[0-9a-f]{12}$/);
	for (const node of ids) {
		expect(ground.running).toContain(node);
		expect(ground.state(node)).toEqual({
			...{ clusterId: id, content: "orders" },
			...{ term: 5, index: 1_001_200 },
		});
		expect(asideOf(ground, node)).toContain(".before-restore-");
	}
	expectNothingLeft();
}

function expectAsBefore(): void {
	expect(ground.clusterFile).toContain("id: orders-old # by init");
	for (const node of ids) {
		expect(ground.state(node)).toMatchObject({ index: 900 });
		expect(asideOf(ground, node)).toBeNull();
	}
	expect(ground.running.size).toBe(0);
	expectNothingLeft();
}

function expectNothingLeft(): void {
	const { stateDirectory } = ground.inventory();
	expect(ground.files.below(`${stateDirectory}/operation.lock`)).toEqual([]);
	const copies = ground.files
		.below(`${stateDirectory}/restored`)
		.filter((path) => !path.endsWith(".started"));
	expect(copies).toEqual([]);
	const made = [...ground.files.files.keys()].filter((path) =>
		ids.some((node) => path.startsWith(`${ground.data(node)}.orders-`)),
	);
	expect(made).toEqual([]);
}

describe("restoring a snapshot", () => {
	it("makes a new cluster of it, keeps the old data, and every comment of the file", async () => {
		const before = ground.clusterFile;
		const report = await work()(ground.context());
		expectRestored();
		const { id } = ground.inventory();
		expect(ground.clusterFile).toBe(before.replace("orders-old", id));
		expect(report).toMatchObject({
			...{ clusterId: id, oldClusterId: "orders-old", nodes: ids, left: [] },
			...{ index: 1_001_200, notes: [] },
			from: { clusterId: "orders-1", index: 1_200, term: 4 },
			kept: { n1: asideOf(ground, "n1") },
		});
	});

	it("leaves nodes that found nothing, should they lose their disks (P31)", async () => {
		await work()(ground.context());
		for (const node of ids)
			expect(ground.configOf(node)).toContain("join: true");
		for (const node of ids) ground.stop(node);
		for (const node of ["n1", "n2"]) {
			ground.wipe(node);
			ground.start(node);
			expect(ground.state(node)).toBeNull();
		}
	});

	it("takes the chosen nodes, and leaves no old data in its place on the others", async () => {
		const report = await work({ nodes: ["n2"] as never })(ground.context());
		expect(report).toMatchObject({ nodes: ["n2"], left: ["n1", "n3"] });
		expect([...ground.running]).toEqual(["n2"]);
		for (const node of ["n1", "n3"]) {
			expect(ground.state(node)).toBeNull();
			expect(asideOf(ground, node)).not.toBeNull();
			ground.start(node);
			expect(ground.running).not.toContain(node);
		}
	});

	it("is refused before anybody types the name of a cluster that runs", async () => {
		ground.start("n2");
		const asked: string[] = [];
		const failure = await failureOf(
			restoreSnapshot(
				ground.context(),
				{ ...wish, erase: false },
				{
					lockWaitMs: 0,
					askName: async (what) => {
						asked.push(what);
						return true;
					},
				},
			),
		);
		expect(failure.problems).toEqual(["n2 runs, as process 1"]);
		expect(asked).toEqual([]);
	});

	it("is refused while a node runs", async () => {
		ground.start("n2");
		const failure = await failureOf(work()(ground.context()));
		expect(failure.kind).toBe("refused");
		expect(failure.problems).toEqual(["n2 runs, as process 1"]);
		expect(ground.state("n2")).toMatchObject({ index: 900 });
	});

	it("is refused over data unless the cluster's name was typed", async () => {
		const failure = await failureOf(work({ erase: false })(ground.context()));
		expect(failure.kind).toBe("refused");
		expect(failure.problems).toHaveLength(3);
		expect(failure.next).toContain("--erase orders");
		expectAsBefore();
	});

	it("is refused for a damaged file, with the place, before anything is touched", async () => {
		const problems = [{ offset: 4_096, what: "a checksum does not match" }];
		ground.snapshot("/bad.snapshot", { ok: false, problems });
		const failure = await failureOf(
			work({ file: "/bad.snapshot" })(ground.context()),
		);
		expect(failure.problems).toEqual([
			"at offset 4096: a checksum does not match",
		]);
		expectAsBefore();
	});

	it("is refused for another cluster's file unless that cluster's id is given; the plan names it", async () => {
		ground.snapshot("/backup.snapshot", { clusterId: "billing-7" });
		for (const foreign of [null, "billing-8"]) {
			const failure = await failureOf(work({ foreign })(ground.context()));
			expect(failure.kind).toBe("refused");
			expect(failure.message).toContain("is of another cluster, billing-7");
			expect(failure.next).toContain("--foreign billing-7");
			expectAsBefore();
		}
		await work({ foreign: "billing-7" })(ground.context());
		expectRestored();
		const plan = ground.events.find(({ type }) => type === "plan");
		expect(JSON.stringify(plan)).toContain("of another cluster, billing-7");
	});

	it("has the name typed before another cluster's file goes onto empty nodes", async () => {
		ground.snapshot("/backup.snapshot", { clusterId: "billing-7" });
		for (const node of ids) ground.files.remove(ground.data(node));
		const asked: string[] = [];
		const restored = (isTyped: boolean) =>
			restoreSnapshot(
				ground.context(),
				{ ...wish, erase: false },
				{
					...{ lockWaitMs: 0 },
					askName: async (what) => {
						asked.push(what);
						return isTyped;
					},
				},
			);
		expect((await failureOf(restored(false))).kind).toBe("refused");
		expect(asked).toEqual([
			"/backup.snapshot is of another cluster, billing-7.",
		]);
		await restored(true);
		expect(ground.running.size).toBe(3);
	});

	it("is refused in raftd's own words for another machine", async () => {
		ground.snapshot("/bad.snapshot", { error: "it is of machine queue" });
		const failure = await failureOf(
			work({ file: "/bad.snapshot" })(ground.context()),
		);
		expect(failure).toMatchObject({
			...{ kind: "refused", message: "it is of machine queue" },
		});
	});

	it("leaves nothing behind when a disk is full, and nothing to resume", async () => {
		ground.files.isFull = true;
		const failure = await failureOf(work()(ground.context()));
		expect(failure).toMatchObject({
			...{
				kind: "refused",
				state: "the copy was removed; no data was touched",
			},
			message: expect.stringContaining("No space left"),
		});
		expectAsBefore();
		ground.files.isFull = false;
		await work()(ground.context());
		expectRestored();
	});

	it("removes what it made beside the data when the disk is full half way", async () => {
		ground.onEvent = (event) => {
			if (event.type !== "step-started") return;
			ground.files.isFull = event.step === "n3/restore";
		};
		const failure = await failureOf(work()(ground.context()));
		expect(failure.message).toContain("full");
		expectAsBefore();
	});

	it("is one operation at a time", async () => {
		await killedAt(ground, work(), "step-finished n1/swap");
		const failure = await failureOf(work()(ground.context()));
		expect(failure.kind).toBe("partial");
		expect(failure.next).toContain("operation resume");
	});

	it("keeps `up` from starting anything while it is half done", async () => {
		await killedAt(ground, work(), "step-finished n1/swap");
		const failure = await failureOf(up(ground.context()));
		expect(failure.kind).toBe("partial");
		expect(ground.starts).toEqual([]);
	});

	it("is listed from the hosts alone while no quorum answers", async () => {
		await killedAt(ground, work(), "step-finished cluster/file");
		const [view] = await listOperations(silent(ground.context()));
		expect(view).toMatchObject({
			...{ state: "killed", unfinished: true, keptBy: "hosts" },
			record: { operation: "snapshot restore" },
		});
		expect(ground.events.at(-1)).toMatchObject({
			...{ type: "warning" },
			message: expect.stringContaining("what the hosts alone keep"),
		});
	});
});

/** Nodes that are down. */
function silent(context: OperationContext): OperationContext {
	const { status } = context.engine;
	const engine = {
		...{ status, operations: status, readIndex: status },
	} as unknown as OperationContext["engine"];
	return { ...context, engine };
}

describe("a restore whose operator is killed", () => {
	it(
		"at any step is ended by resume",
		async () => {
			const boundaries = await boundariesOf(ground, work());
			expect(boundaries.length).toBeGreaterThan(20);
			for (const boundary of boundaries) {
				ground.dispose();
				ground = fresh();
				await killedAt(ground, work(), boundary);
				await takeUpUnfinished(ground.context(), { ...again, as: "resume" });
				expect(ground.sins).toEqual([]);
				expectRestored();
				expect(ground.starts.length).toBe(3);
			}
		},
		limitMs,
	);

	it(
		"at any step is given up by abort: all as it was, unless the new cluster was started",
		async () => {
			const boundaries = await boundariesOf(ground, work());
			for (const boundary of boundaries) {
				ground.dispose();
				ground = fresh();
				await killedAt(ground, work(), boundary);
				await takeUpUnfinished(ground.context(), { ...again, as: "abort" });
				expect(ground.sins).toEqual([]);
				if (ground.running.size === 0) expectAsBefore();
				else expectRestored();
			}
		},
		limitMs,
	);

	it.each([1, 2, 3])(
		"at start %i is given up by abort: the new cluster, which stays, is started as a whole",
		async (nth) => {
			await killedAtStart(ground, work(), nth);
			expect(ground.running.size).toBe(nth - 1);
			const report = await takeUpUnfinished(ground.context(), {
				...{ ...again, as: "abort" },
			});
			expectRestored();
			expect(report).toMatchObject({ unconfirmed: [], index: 1_001_200 });
		},
	);

	it("is given up though a node of the new cluster does not come up, which is told", async () => {
		await killedAtStart(ground, work(), 1);
		ground.broken.add("n3");
		const report = await takeUpUnfinished(ground.context(), {
			...{ ...again, as: "abort" },
		});
		expect([...ground.running]).toEqual(["n1", "n2"]);
		expect(report).toMatchObject({
			unconfirmed: [expect.stringContaining("n3")],
		});
		const text = takenUpText("abort", report as OperationReport);
		expect(text).not.toContain("nothing is half done");
		expect(text).toContain("n3 ended right after its start");
		const [stored] = await readReachableHosts(ground.context());
		expect(stored).toMatchObject({ unfinished: false });
	});

	it("is resumed also after an abort was killed half way", async () => {
		await killedAt(ground, work(), "step-finished n2/swap");
		const abort = (context: OperationContext) =>
			takeUpUnfinished(context, { ...again, as: "abort" });
		await killedAt(ground, abort, "step-finished n1/back");
		await takeUpUnfinished(ground.context(), { ...again, as: "abort" });
		expectAsBefore();
	});

	it.each([
		["identity.json", "abort"],
		["identity.json", "resume"],
		["state", "abort"],
		["state", "resume"],
	] as const)(
		"in the midst of removing what it made, %s first, is ended by %s",
		async (first, as) => {
			for (let nth = 1; ; nth++) {
				ground.dispose();
				ground = fresh();
				await killedAt(ground, work(), "step-finished n2/swap");
				const abort = (context: OperationContext) =>
					takeUpUnfinished(context, { ...again, as: "abort" });
				if (!(await killedInRemoval(ground, abort, { nth, first }))) {
					expect(nth).toBeGreaterThan(3);
					return;
				}
				await takeUpUnfinished(ground.context(), { ...again, as });
				expect(ground.sins).toEqual([]);
				if (as === "abort") expectAsBefore();
				else expectRestored();
			}
		},
		limitMs,
	);

	it("leaves nothing of what its own raftd goes on with for a while", async () => {
		for (const as of ["abort", "resume"] as const) {
			ground.dispose();
			ground = fresh();
			let beside = "";
			ground.onEvent = (event) => {
				if (event.type !== "plan") return;
				const { cost } =
					event.steps.find(({ id }) => id === "n2/restore") ?? {};
				beside = (cost ?? "").replace(/^.* in /, "");
			};
			const atPlan = ground.onEvent;
			const watched = (context: OperationContext) =>
				work()({
					...context,
					emit: (event) => {
						atPlan(event);
						context.emit(event);
					},
				});
			await killedAt(ground, watched, "step-started n2/restore");
			expect(beside).toMatch(/\.orders-[0-9a-f]{12}$/);
			const making = `${beside}.restoring`;
			ground.files.files.set(`${making}/wal`, "");
			ground.holders.set(making, "process 7");
			const { program } = ground.files;
			let looks = 0;
			ground.files.program = (argv) => {
				if (argv.includes("inspect") && argv.includes(making)) looks++;
				if (looks === 3) {
					ground.holders.delete(making);
					ground.files.move(making, beside);
				}
				const isMoved = argv[0] !== "/node" && argv.includes(making);
				if (isMoved && argv[0] !== "ls" && ground.holders.has(making))
					ground.sins.push(`${argv.join(" ")} under process 7`);
				return program(argv);
			};
			await takeUpUnfinished(ground.context(), { ...again, as });
			expect(ground.holders.size).toBe(0);
			if (as === "abort") expectAsBefore();
			else expectRestored();
		}
	});

	it("leaves no part of a copy of the file", async () => {
		for (const as of ["abort", "resume"] as const) {
			ground.dispose();
			ground = fresh();
			await killedAt(ground, work(), "step-finished local/copy");
			const { stateDirectory } = ground.inventory();
			const [copy = ""] = ground.files.below(`${stateDirectory}/restored`);
			for (const suffix of ["part", "part.5f.part"])
				ground.files.files.set(`${copy}.${suffix}`, "half");
			await takeUpUnfinished(ground.context(), { ...again, as });
			expectNothingLeft();
		}
	});

	it("in the midst of undoing a step is ended by abort and by resume", async () => {
		for (const as of ["abort", "resume"] as const) {
			ground.dispose();
			ground = fresh();
			ground.onEvent = (event) => {
				if (event.type !== "step-started") return;
				ground.files.isFull = event.step === "n3/restore";
			};
			const how = { nth: 1, first: "state" };
			expect(await killedInRemoval(ground, work(), how)).toBe(true);
			ground.files.isFull = false;
			ground.onEvent = () => undefined;
			await takeUpUnfinished(ground.context(), { ...again, as });
			if (as === "abort") expectAsBefore();
			else expectRestored();
		}
	});
});
