import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import type { OperationContext } from "../../../src/operations/context.js";
import { listOperations } from "../../../src/operations/operations.js";
import { recover } from "../../../src/operations/recover/recover.js";
import { runOperation } from "../../../src/operations/run-operation.js";
import { restore } from "../../../src/operations/snapshots/restore.js";
import {
	deadHolderWaitMs,
	pauseUnfinished,
	takeUpUnfinished,
} from "../../../src/operations/taking-up.js";
import { up } from "../../../src/operations/up.js";
import { failureOf } from "../operating.js";
import { DisasterGround } from "./disaster-ground.js";
import { killedAt } from "./killing.js";

const wish = {
	...{ file: "/backup.snapshot", nodes: [], erase: true },
	foreign: null as string | null,
};
const restoring =
	(lockWaitMs = 0) =>
	(context: OperationContext) =>
		runOperation(context, restore(wish), { lockWaitMs });
const recovering = (context: OperationContext) =>
	runOperation(context, recover({ nodes: [] }), { lockWaitMs: 0 });
const again = { id: null, lockWaitMs: deadHolderWaitMs };

let ground: DisasterGround;
beforeEach(() => {
	ground = new DisasterGround();
	ground.snapshot("/backup.snapshot");
});
afterEach(() => {
	expect(ground.sins).toEqual([]);
	ground.dispose();
});

/** Calls `act` once, when this step begins. */
function when(step: string, act: () => void): void {
	ground.onEvent = (event) => {
		if (event.type !== "step-started" || event.step !== step) return;
		ground.onEvent = () => undefined;
		act();
	};
}

describe.each([
	["a restore", restoring(), "n2/restore", "n3/restore"],
	["a recovery", recovering, "n3/stop", "n1/restore"],
] as const)("%s, whose journal is on the hosts", (_, work, at, next) => {
	it("stops at the next step boundary when somebody asks for a pause, and is resumed", async () => {
		// Of three it is no quorum.
		if (at === "n3/stop") ground.start("n3");
		when(at, () => {
			void pauseUnfinished(noQuorum(ground.context("cid")), null);
		});
		const failure = await failureOf(work(ground.context()));
		expect(failure.kind).toBe("partial");
		expect(failure.message).toContain("paused");
		expect(failure.next).toContain("operation resume");
		expect(ground.events).not.toContainEqual(
			expect.objectContaining({ type: "step-started", step: next }),
		);
		const [paused] = await listOperations(noQuorum(ground.context()));
		expect(paused).toMatchObject({ state: "paused", keptBy: "hosts" });

		await takeUpUnfinished(ground.context("dan"), { ...again, as: "resume" });
		const [done] = await listOperations(noQuorum(ground.context()));
		expect(done).toMatchObject({ state: "done", pauseRequested: false });
		expect(done?.record?.attempts.map(({ holder }) => holder)).toEqual([
			...["ann@desk:1", "dan@desk:1"],
		]);
	});
});

const dayMs = 24 * 3_600_000;

describe("a second operator", () => {
	it("is refused with exit code 13 while the first one lives, who is named", async () => {
		let refusal: ReturnType<typeof failureOf> | null = null;
		when("n2/restore", () => {
			refusal = failureOf(restoring()(ground.context("bob")));
		});
		const first = slowly(ground.context());
		await restoring()(first);
		const failure = await refusal;
		expect(failure).toMatchObject({
			...{ kind: "locked", exitCode: 13 },
			message: expect.stringMatching(/restore \/backup.snapshot by ann@desk:1/),
		});
	});

	it("who would start nodes with up is refused likewise", async () => {
		let refusal: ReturnType<typeof failureOf> | null = null;
		when("n2/restore", () => {
			refusal = failureOf(up(noQuorum(ground.context("bob"))));
		});
		await restoring()(slowly(ground.context()));
		expect(await refusal).toMatchObject({
			...{ kind: "locked", exitCode: 13 },
			message: expect.stringMatching(/restore \/backup.snapshot by ann@desk:1/),
		});
		expect(ground.starts).toHaveLength(3);
	});

	it("waits for the first one as long as wished, and then looks at the world anew", async () => {
		let second: ReturnType<typeof failureOf> | null = null;
		when("n2/restore", () => {
			// The first one works on real files, while the clock of the second runs ahead.
			second = failureOf(restoring(30 * dayMs)(ground.context("bob")));
		});
		await restoring()(slowly(ground.context()));
		// What it waited for has started the nodes.
		expect(await second).toMatchObject({
			...{ kind: "refused" },
			message: expect.stringContaining("is not down"),
		});
		expect(ground.events).toContainEqual(
			expect.objectContaining({
				type: "warning",
				message: expect.stringContaining("waiting for the operation lock"),
			}),
		);
	});

	it("is told how to go on once the first one was killed", async () => {
		await killedAt(ground, restoring(), "step-finished n1/swap");
		const failure = await failureOf(restoring()(ground.context()));
		expect(failure.exitCode).toBe(14);
		expect(failure.message).toContain("it was killed, at n1/swap");
	});
});

describe("what an operation leaves on the hosts", () => {
	it("is no wish for a pause that came too late", async () => {
		let asked: Promise<unknown> | null = null;
		when("cluster/tidy", () => {
			asked = pauseUnfinished(noQuorum(ground.context("cid")), null);
		});
		await restoring()(slowly(ground.context()));
		expect(await asked).toMatchObject({ pauseRequested: true });
		const [done] = await listOperations(noQuorum(ground.context()));
		expect(done).toMatchObject({ state: "done", pauseRequested: false });
	});

	it("is no configuration that a node was made with", async () => {
		await restoring()(ground.context());
		const { stateDirectory } = ground.inventory();
		const left = ground.files
			.below(stateDirectory)
			.filter((path) => path.endsWith("restore.yaml"));
		expect(left).toEqual([]);
	});

	it("is one lock of a dead holder at most, which the next one removes", async () => {
		const { stateDirectory } = ground.inventory();
		const dead = () =>
			new Set(
				ground.files
					.below(stateDirectory)
					.flatMap((path) => /operation\.lock\.[^/]+/.exec(path)?.[0] ?? []),
			);
		for (const step of ["n1/restore", "n2/restore", "n3/restore"]) {
			await killedAt(
				ground,
				(context) =>
					step === "n1/restore"
						? restoring()(context)
						: takeUpUnfinished(context, { ...again, as: "resume" }),
				`step-started ${step}`,
			);
			expect(dead().size).toBeLessThanOrEqual(1);
		}
		await takeUpUnfinished(ground.context(), { ...again, as: "resume" });
		expect(dead().size).toBe(1);
		expect(ground.running.size).toBe(3);
	});
});

/** Every step takes long enough for its holder to be watched. */
function slowly(context: OperationContext): OperationContext {
	return {
		...context,
		machines: {
			...context.machines,
			async host(name) {
				const host = await context.machines.host(name);
				return {
					...host,
					async run(argv, options) {
						if (["/node", "rm"].includes(argv[0] ?? ""))
							await context.clock.sleep(5_000);
						return host.run(argv, options);
					},
				};
			},
		},
	};
}

/** Nodes that know no journal: what there is, is on the hosts. */
function noQuorum(context: OperationContext): OperationContext {
	const silent = async () => {
		throw new OperatorError("unreachable", "no quorum");
	};
	const engine = {
		...{ operations: silent, readIndex: silent, status: silent },
	} as unknown as OperationContext["engine"];
	return { ...context, engine };
}
