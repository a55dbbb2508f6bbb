import { describe, expect, it } from "vitest";
import type { OperationEvent } from "../../../src/operations/events.js";
import { Random } from "../../sim/random.js";
import { frontFaults } from "./claims.js";
import { wishIn } from "./command.js";
import { faults } from "./faults.js";
import { earlier, momentOf, StepWatch, whoseHost } from "./moment.js";
import { operations } from "./operations.js";
import type { Outcome } from "./round.js";
import { pairs } from "./run.js";
import { tableOf } from "./table.js";
import { endingOf } from "./take-up.js";

const started = (step: string): OperationEvent => ({
	...{ type: "step-started", step, title: "", node: step.slice(0, 2) },
});
const skipped = (step: string): OperationEvent => ({
	...{ type: "step-skipped", step, node: null, reason: "done" },
});
const plan = (...ids: readonly string[]): OperationEvent => ({
	...{ type: "plan", operation: "roll" },
	steps: ids.map((id) => ({ id, title: "", node: null, cost: "" })),
});

describe("the moment of a fault", () => {
	it("is the same for the same seed", () => {
		expect(momentOf(new Random(7, 3))).toEqual(momentOf(new Random(7, 3)));
		expect(momentOf(new Random(7, 3))).not.toEqual(momentOf(new Random(8, 3)));
	});

	it("comes with the step that has as much behind it, once", () => {
		const watch = new StepWatch(0.5, 0);
		expect(watch.hear(plan("n1/a", "n1/b", "n2/a", "n2/b"))).toBeNull();
		expect(watch.hear(started("n1/a"))).toBeNull();
		expect(watch.hear(skipped("n1/b"))).toBeNull();
		expect(watch.hear(started("n2/a"))).toEqual({ step: "n2/a", node: "n2" });
		expect(watch.hear(started("n2/b"))).toBeNull();
	});

	it("goes to the next step where there is nothing to do in its own", () => {
		const watch = new StepWatch(0, 2);
		expect(watch.hear(skipped("n1/a"))).toBeNull();
		expect(watch.hear(started("n1/b"))).toEqual({ step: "n1/b", node: "n1" });
	});

	it("comes to the node in hand, or to another member", () => {
		const moment = { ...momentOf(new Random(1)), isElsewhere: false };
		const members = ["n1", "n2", "n3"];
		expect(whoseHost(moment, members, "n4")).toBe("n4");
		for (const whose of [0, 0.5, 0.999]) {
			const elsewhere = { ...moment, whose, isElsewhere: true };
			expect(["n1", "n3"]).toContain(whoseHost(elsewhere, members, "n2"));
			expect(members).toContain(whoseHost(elsewhere, members, null));
		}
	});

	it("is earlier for an operation that had ended before it", () => {
		const moment = { ...momentOf(new Random(1)), share: 0.8, afterMs: 900 };
		expect(earlier(moment)).toMatchObject({ share: 0.4, afterMs: 0 });
	});
});

describe("the end of an operation", () => {
	const record = { id: "new", state: "stopped", unfinished: true };

	it.each([
		["done", 0, null],
		["refused", 11, null],
		["undone", 12, null],
		["left", 14, record],
		["left", null, record],
		["undone", null, { ...record, state: "failed", unfinished: false }],
		["done", null, { ...record, state: "done", unfinished: false }],
		["refused", 11, { ...record, id: "old" }],
	] as const)("is %s after exit code %s", (ending, exitCode, newest) => {
		expect(endingOf(exitCode, newest, "old")).toBe(ending);
	});
});

describe("HAProxy's word", () => {
	const stat = (...servers: readonly string[]) =>
		[
			"# pxname,svname,status,weight,",
			"raftctl-orders,FRONTEND,OPEN,,",
			...servers.map((server) => `raftctl-orders,${server},`),
			"raftctl-orders,BACKEND,UP,3,",
			"raftctl-orders-moved,n1,UP,0,",
		].join("\n");

	it("is good where every member is up, and nobody else is there", () => {
		const all = stat("n1,UP,1", "n2,UP,1");
		expect(frontFaults(all, ["n1", "n2"])).toEqual([]);
		expect(frontFaults(all, ["n1", "n2", "n3"])).toEqual([
			"HAProxy does not know n3",
		]);
		expect(frontFaults(all, ["n1"])).toEqual([
			"HAProxy has n2, which is no member",
		]);
	});

	it.each(["DRAIN (agent),1", "DOWN,1", "MAINT,1", "UP,0", "NOLB,1"])(
		"is not where one is %s",
		(state) => {
			expect(frontFaults(stat("n1,UP,1", `n2,${state}`), ["n1", "n2"])).toEqual(
				[expect.stringContaining("HAProxy has n2 as")],
			);
		},
	);
});

describe("the rounds", () => {
	it("are every fault during every operation, each with a number of its own", () => {
		const none = { operations: [], faults: [] };
		const all = [...pairs(none, false), ...pairs(none, true)];
		const ofHost = faults.filter(({ isOfHost }) => isOfHost).length;
		const without = operations.filter(({ isWithout }) => isWithout).length;
		expect(all).toHaveLength(
			faults.length * operations.length - ofHost * without,
		);
		expect(new Set(all.map(({ number }) => number)).size).toBe(all.length);
	});

	it("are the same ones where only some are chosen", () => {
		const { operations: names, faults: wanted } = wishIn([
			...["--operation", "upgrade", "--fault", "freeze", "--seed", "3"],
		]);
		const [one, ...more] = pairs({ operations: names, faults: wanted }, false);
		expect(more).toEqual([]);
		const same = pairs({ operations: [], faults: [] }, false).find(
			({ operation, fault }) =>
				operation.name === "upgrade" && fault.name === "freeze",
		);
		expect(one).toEqual(same);
	});

	it("are not begun where a name is unknown", () => {
		expect(() => wishIn(["--fault", "flood"])).toThrow(
			'there is no fault "flood", only none, power-off',
		);
		expect(() => wishIn(["--seed", "x"])).toThrow("no whole number");
		expect(() => wishIn(["--days", "3"])).toThrow("--days");
	});
});

it("shows of each round how it ended, what was typed then, and what was broken", () => {
	const outcome: Outcome = {
		...{ operation: "upgrade", fault: "freeze", host: "h2" },
		...{ step: "n2/restart", afterMs: 120, heldMs: 4_200 },
		...{ ended: "left", exitCode: 14, typed: ["resume", "resume"] },
		...{ requests: 900, failed: 4, slowestMs: 10_020, tookMs: 60_000 },
		broken: ["n2 is drained"],
	};
	const lines = tableOf([outcome]);
	expect(lines[1]?.split(/ {2,}/)).toEqual([
		...["upgrade", "freeze", "h2", "n2/restart", "4.2 s", "left (14)"],
		...["resume 2", "4 of 900", "10020 ms"],
	]);
	expect(lines[2]).toBe("broken, upgrade with freeze: n2 is drained");
});
