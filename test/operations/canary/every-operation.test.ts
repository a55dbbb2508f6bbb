import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CanaryUse } from "../../../src/operations/canary/wish.js";
import type { OperationContext } from "../../../src/operations/context.js";
import { drain } from "../../../src/operations/drain.js";
import {
	planSave,
	saveSnapshot,
} from "../../../src/operations/snapshots/save.js";
import {
	planSchedule,
	scheduleSnapshots,
} from "../../../src/operations/snapshots/schedule.js";
import { transferLeader } from "../../../src/operations/transfer-leader.js";
import { undrain } from "../../../src/operations/undrain.js";
import { FakeFront } from "../../fakes/fake-caller.js";
import { operating } from "../operating.js";

let directory: string;
beforeEach(async () => {
	directory = await mkdtemp(join(tmpdir(), "raftctl-watched-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const schedule = {
	...{ intervalMs: 60_000, keep: 2, directory: "/b", command: [] },
	s3: null,
};
const saving = () => ({
	...{ node: null, file: null, skip: [] },
	workingDirectory: directory,
});

type Work = (context: OperationContext, canary: CanaryUse) => Promise<object>;
const lockWaitMs = 0;
const works: Readonly<Record<string, Work>> = {
	drain: (context, canary) =>
		drain(context, { nodes: ["n2"], forMs: 60_000, lockWaitMs, canary }),
	undrain: (context, canary) =>
		undrain(context, { nodes: ["n2"], lockWaitMs, canary }),
	"transfer-leader": (context, canary) =>
		transferLeader(context, { to: "n2", lockWaitMs, canary }),
	"snapshot schedule": (context, canary) =>
		scheduleSnapshots(context, {
			...{ schedule, skip: ["directory"], lockWaitMs, canary },
		}),
	"snapshot save": (context, canary) =>
		saveSnapshot(context, { ...saving(), lockWaitMs, canary }),
};

describe("an operation that asks nothing", () => {
	it.each(Object.keys(works))(
		"%s is watched by a canary on request, whose count it reports",
		async (name) => {
			const { cluster, context } = operating();
			const front = new FakeFront(cluster);
			const budgets = {
				...{ maxFailed: 0, maxStallMs: null, maxLeaderlessMs: null },
			};
			const report = await works[name]?.(context, {
				...{ wish: { budgets }, openCaller: front.open },
			});
			expect(report).toMatchObject({
				cost: { canary: { lostWrites: [], failures: [] }, overBudget: false },
			});
			expect(front.opened).toHaveLength(2);
			expect(front.keys.size).toBe(0);
		},
	);
});

describe("the plan of what the cluster is not changed by", () => {
	it("of a snapshot that is saved names the node, and takes none", async () => {
		const { context } = operating();
		const { plan } = await planSave(context, saving());
		expect(plan.map(({ id }) => id)).toEqual(["n2/snapshot", "n2/copy"]);
		expect(await readdir(directory)).toEqual([]);
	});

	it("of a schedule sets none", async () => {
		const { cluster, context } = operating();
		const wish = { schedule, skip: ["directory"] } as const;
		const { plan } = await planSchedule(context, wish);
		expect(plan.map(({ id }) => id)).toEqual(["cluster/schedule"]);
		expect(cluster.schedule).toBeNull();
		expect(cluster.lock).toBeNull();
	});
});
