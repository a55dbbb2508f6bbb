import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import type { Host } from "../../../src/hosts/host.js";
import { listSnapshots } from "../../../src/operations/snapshots/list.js";
import {
	scheduleSnapshots,
	scheduleTarget,
} from "../../../src/operations/snapshots/schedule.js";
import { failureOf, type Operating, operating } from "../operating.js";

const schedule = {
	...{ intervalMs: 60_000, keep: 3, directory: "/backups" },
	...{ command: [], s3: null },
};

/** Where the directory is not, `test` ends with 1, as the real one does. */
function without(world: Operating): Operating["context"] {
	const machines = {
		host: async (name: string): Promise<Host> => ({
			...(await world.machines.host(name)),
			run: async (argv) => ({
				...{ exitCode: argv[0] === "test" ? 1 : 0, stdout: "", stderr: "" },
			}),
		}),
		service: world.machines.service.bind(world.machines),
	};
	return { ...world.context, machines };
}

describe("the schedule", () => {
	it("is set and ended under the lock, which is released", async () => {
		const { cluster, context, events } = operating();
		await scheduleSnapshots(context, { schedule, lockWaitMs: 0 });
		expect(cluster.schedule).toEqual(schedule);
		expect((await listSnapshots(context)).schedule).toEqual(schedule);
		expect(events.filter(({ type }) => type === "warning")).toEqual([]);
		await scheduleSnapshots(context, { schedule: null, lockWaitMs: 0 });
		expect(cluster.schedule).toBeNull();
		expect(cluster.lock).toBeNull();
	});

	it("is refused where a node has no such directory, unless that look is left out by name", async () => {
		const world = operating();
		const context = without(world);
		const error = await failureOf(
			scheduleSnapshots(context, { schedule, lockWaitMs: 0 }),
		);
		expect(error).toMatchObject({
			...{ kind: "refused", state: "nothing was changed" },
			message: "/backups is no directory that can be written, for n1, n2, n3",
		});
		expect(error.next).toContain("on local: mkdir -p /backups");
		expect(world.cluster.schedule).toBeNull();
		const skip = ["directory"] as const;
		await scheduleSnapshots(context, { schedule, skip, lockWaitMs: 0 });
		expect(world.cluster.schedule).toEqual(schedule);
		await scheduleSnapshots(context, { schedule: null, lockWaitMs: 0 });
	});

	it("warns of a host that cannot be asked, and of an interval that leaves no rest", async () => {
		const { cluster, context, events } = operating();
		const machines = {
			...context.machines,
			host: () => Promise.reject(new OperatorError("unreachable", "no route")),
		};
		const often = { ...schedule, intervalMs: 1_000 };
		await scheduleSnapshots(
			{ ...context, machines },
			{ schedule: often, lockWaitMs: 0 },
		);
		expect(cluster.schedule).toEqual(often);
		const warnings = events.filter(({ type }) => type === "warning");
		expect(warnings).toMatchObject([
			{ message: expect.stringMatching(/^a snapshot every 1 s /) },
			{
				message: expect.stringMatching(/on local could not be seen: no route/),
			},
		]);
	});
});

describe("the storage that a schedule copies to", () => {
	const target = {
		...{ endpoint: "https://s3.test", bucket: "b", prefix: "p" },
		region: "us-east-1",
	};
	const settings = { target, access: null, caFile: null };
	const named = { source: "c.yaml", s3: settings };
	const unnamed = { source: "c.yaml", s3: { ...settings, target: null } };

	it("is what is asked for, else the cluster file's, else none", () => {
		const other = { ...target, bucket: "other" };
		expect(scheduleTarget(named, other)).toEqual(other);
		expect(scheduleTarget(named, null)).toEqual(target);
		expect(scheduleTarget(named, "cluster-file")).toEqual(target);
		expect(scheduleTarget(named, "none")).toBeNull();
		expect(scheduleTarget(unnamed, null)).toBeNull();
		expect(scheduleTarget({ ...unnamed, s3: null }, null)).toBeNull();
	});

	it("is a mistake when the cluster file's is asked for, and there is none", () => {
		expect(() => scheduleTarget(unnamed, "cluster-file")).toThrow(
			"c.yaml names no storage to copy to",
		);
	});
});
