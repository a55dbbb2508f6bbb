import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { takenUpText } from "../../../src/cli/taken-up-text.js";
import type { OperationContext } from "../../../src/operations/context.js";
import {
	type ClusterRecovered,
	planRecovery,
	recoverCluster,
} from "../../../src/operations/recover/recover-cluster.js";
import {
	deadHolderWaitMs,
	takeUpUnfinished,
} from "../../../src/operations/taking-up.js";
import { failureOf } from "../operating.js";
import { asideOf, DisasterGround } from "./disaster-ground.js";
import { boundariesOf, killedAt } from "./killing.js";

/** Some thirty runs, each killed at another boundary. */
const limitMs = 180_000;
const again = { id: null, lockWaitMs: deadHolderWaitMs };
const told = async () => undefined;
const work = (context: OperationContext) =>
	recoverCluster(context, { nodes: [] }, { lockWaitMs: 0, told });

let ground: DisasterGround;
beforeEach(() => {
	ground = lost();
});
afterEach(() => {
	expect(ground.sins).toEqual([]);
	ground.dispose();
});

/** n3's disk is gone; n1 runs alone; n2 is down, and has more. */
function lost(): DisasterGround {
	const made = new DisasterGround();
	made.start("n1");
	const state = { term: 4, index: 930, content: "orders, and more" };
	made.found(made.data("n2"), "n2", "orders-old", state);
	made.files.remove(made.data("n3"));
	made.starts.length = 0;
	return made;
}

function expectRecovered(): void {
	const { id, stateDirectory } = ground.inventory();
	expect(id).not.toBe("orders-old");
	for (const node of ["n1", "n2"]) {
		expect(ground.state(node)).toEqual({
			...{ clusterId: id, content: "orders, and more" },
			...{ term: 5, index: 1_000_930 },
		});
		expect(ground.running).toContain(node);
		expect(asideOf(ground, node)).toContain(".before-recover-");
	}
	expect(ground.running).not.toContain("n3");
	const file = `${stateDirectory}/restored/${id}.snapshot`;
	expect(ground.files.files.get(file)).toContain('"index":930');
}

describe("recovering after a majority was lost", () => {
	it("goes on with what the best survivor has, on all survivors, and keeps the rest", async () => {
		const report = (await work(ground.context())) as ClusterRecovered;
		expectRecovered();
		expect(report).toMatchObject({
			...{ nodes: ["n1", "n2"], left: ["n3"], fromIndex: 930 },
			survey: { best: "n2" },
		});
	});

	it("is refused while there is a quorum", async () => {
		ground.start("n2");
		const failure = await failureOf(work(ground.context()));
		expect(failure.kind).toBe("refused");
		expect(failure.next).toContain("remove-node");
		expect(ground.running.size).toBe(2);
	});

	it("is refused when no node has anything", async () => {
		ground.running.clear();
		for (const node of ["n1", "n2"]) ground.files.remove(ground.data(node));
		const failure = await failureOf(work(ground.context()));
		expect(failure.problems).toHaveLength(3);
		expect(failure.next).toContain("snapshot restore");
	});

	it("shows what each node holds and touches nothing with --dry-run", async () => {
		const plan = await planRecovery(ground.context(), { nodes: [] }, told);
		expect(plan.survey.holdings.map(({ fault }) => fault)).toEqual([
			...["", "", "it is empty"],
		]);
		expect(plan.plan[0]).toMatchObject({ id: "n1/stop" });
		expect(plan.plan.map(({ id }) => id)).toContain("cluster/start");
		expect([...ground.running]).toEqual(["n1"]);
		expect(ground.clusterFile).toContain("orders-old");
	});

	it("takes what has more once all are down, whatever running nodes said", async () => {
		const state = { term: 6, index: 800, content: "of a later term" };
		ground.found(ground.data("n1"), "n1", "orders-old", state);
		await work(ground.context());
		expect(ground.state("n2")).toMatchObject({ content: "of a later term" });
	});

	it("plans to start what it has to stop first, though it runs until then", async () => {
		const plan = await planRecovery(ground.context(), { nodes: ["n1"] }, told);
		expect(plan.plan.map(({ id }) => id)).toContain("cluster/start");
	});

	it("tells what was found before it asks, once", async () => {
		const order: string[] = [];
		await recoverCluster(
			ground.context(),
			{ nodes: ["n2"] },
			{
				...{ lockWaitMs: 0 },
				told: async ({ best }) => void order.push(`best is ${best}`),
				confirm: async () => void order.push("asked"),
			},
		);
		expect(order[0]).toMatch(/^best is/);
		expect(order.slice(1)).toEqual(["asked"]);
		expect([...ground.running]).toEqual(["n2"]);
		expect(ground.state("n1")).toBeNull();
	});
});

describe("a recovery whose operator is killed", () => {
	it.each([
		["resume", "recovered from what n2 had"],
		["abort", "is given up"],
	] as const)(
		"tells at its %s where the exported state is kept",
		async (as, told) => {
			await killedAt(ground, work, "step-finished cluster/export");
			const report = await takeUpUnfinished(ground.context(), { ...again, as });
			const { stateDirectory } = ground.inventory();
			const text = takenUpText(as, report);
			expect(text).toContain(told);
			expect(text).toMatch(
				new RegExp(
					`is kept as ${stateDirectory}/restored/orders-\\w+\\.snapshot, on this machine`,
				),
			);
		},
	);

	it(
		"at any step is ended by resume",
		async () => {
			const boundaries = await boundariesOf(ground, work);
			expect(boundaries.length).toBeGreaterThanOrEqual(18);
			for (const boundary of boundaries) {
				ground.dispose();
				ground = lost();
				await killedAt(ground, work, boundary);
				await takeUpUnfinished(ground.context(), { ...again, as: "resume" });
				expect(ground.sins).toEqual([]);
				expectRecovered();
				expect(ground.starts).toHaveLength(2);
			}
		},
		limitMs,
	);

	it.each(["n1/restore", "cluster/export"])(
		"after %s begins anew with what the nodes hold when they served in between, and says so",
		async (step) => {
			await killedAt(ground, work, `step-finished ${step}`);
			const state = { term: 5, index: 980, content: "acknowledged since" };
			ground.found(ground.data("n1"), "n1", "orders-old", state);
			await takeUpUnfinished(ground.context(), { ...again, as: "resume" });
			for (const node of ["n1", "n2"])
				expect(ground.state(node)).toMatchObject({
					...{ content: "acknowledged since", index: 1_000_980, term: 6 },
				});
			const told = ground.events.filter(({ type }) => type === "warning");
			expect(JSON.stringify(told)).toContain("up to index 930 of term 4");
		},
	);

	it("is given up once nobody reads a node's data any more, and leaves no part of a file", async () => {
		await killedAt(ground, work, "step-started cluster/export");
		const { stateDirectory } = ground.inventory();
		const [mark] = ground.files.below(`${stateDirectory}/restored`);
		expect(mark).toBeUndefined();
		const id = ground.events
			.flatMap((event) => (event.type === "plan" ? event.steps : []))
			.flatMap(({ title }) => /orders-[0-9a-f]{12}/.exec(title) ?? [])
			.at(-1);
		const part = `${stateDirectory}/restored/${id}.snapshot.part`;
		ground.files.files.set(part, "half");
		ground.holders.set(ground.data("n1"), "process 7");
		const { program } = ground.files;
		let looks = 0;
		ground.files.program = (argv) => {
			if (argv.includes("inspect") && ++looks === 3) ground.holders.clear();
			return program(argv);
		};
		await takeUpUnfinished(ground.context(), { ...again, as: "abort" });
		expect([...ground.running]).toEqual(["n1"]);
		expect(ground.files.below(`${stateDirectory}/restored`)).toEqual([]);
	});

	it("is given up though a node that ran does not stay up, which is told", async () => {
		await killedAt(ground, work, "step-finished n1/stop");
		ground.broken.add("n1");
		const report = await takeUpUnfinished(ground.context(), {
			...{ ...again, as: "abort" },
		});
		expect(report).toMatchObject({
			unconfirmed: [expect.stringContaining("n1")],
		});
	});

	it(
		"at any step is given up by abort: data, file and what ran as before, unless the new cluster was started",
		async () => {
			const boundaries = await boundariesOf(ground, work);
			for (const boundary of boundaries) {
				ground.dispose();
				ground = lost();
				await killedAt(ground, work, boundary);
				await takeUpUnfinished(ground.context(), { ...again, as: "abort" });
				expect(ground.sins).toEqual([]);
				if (ground.running.has("n2")) {
					expectRecovered();
					continue;
				}
				expect([...ground.running]).toEqual(["n1"]);
				expect(ground.state("n1")).toMatchObject({ index: 900 });
				expect(ground.state("n2")).toMatchObject({ index: 930 });
				expect(ground.clusterFile).toContain("id: orders-old # by init");
			}
		},
		limitMs,
	);
});
