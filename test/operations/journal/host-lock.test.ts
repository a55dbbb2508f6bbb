import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import type { OperationContext } from "../../../src/operations/context.js";
import { withHostLock } from "../../../src/operations/journal/host-lock.js";
import { hostLockStatus } from "../../../src/operations/journal/host-lock-turn.js";
import type { OperationLock } from "../../../src/operations/lock.js";
import { FakeFiles, failed } from "../../fakes/fake-files.js";
import { mortal } from "../../fakes/mortal.js";
import { failureOf, operating } from "../operating.js";

function ground() {
	const { context, clock, events } = operating();
	const files = new FakeFiles();
	const machines = {
		host: async (name: string) => files.host(name),
		service: context.machines.service.bind(context.machines),
	};
	const at = (who: string): OperationContext => ({
		...{ ...context, machines },
		holder: { holder: `${who}@desk:1`, host: "desk" },
	});
	return { files, clock, events, ann: at("ann"), bob: at("bob") };
}

const now = { operation: "recover", lockWaitMs: 0 };
const patient = { operation: "recover", lockWaitMs: 120_000 };

/** Taken, and held by a process that is then killed. */
async function killedHolder(context: OperationContext): Promise<void> {
	const operator = mortal(context);
	await new Promise<void>((held) => {
		void withHostLock(operator.context, now, async () => {
			operator.kill();
			held();
			await new Promise(() => undefined);
		});
	});
}

function lockFiles({ files }: { files: FakeFiles }): readonly string[] {
	return files.below("/state").filter((path) => !path.includes(".dead-"));
}

describe("the lock on the hosts", () => {
	it("is there while the operation lasts, and gone afterwards", async () => {
		const world = ground();
		await withHostLock(world.ann, now, async () => {
			expect(lockFiles(world)).toEqual(["/state/operation.lock/holder.json"]);
		});
		expect(world.files.below("/state")).toEqual([]);
	});

	it("goes when the operation fails", async () => {
		const world = ground();
		const work = withHostLock(world.ann, now, async () => {
			throw new Error("on the way");
		});
		await expect(work).rejects.toThrow("on the way");
		expect(world.files.below("/state")).toEqual([]);
	});

	it("lets exactly one of two operators act, and names the other one's", async () => {
		const { ann, bob } = ground();
		await withHostLock(ann, now, async () => {
			const failure = await failureOf(
				withHostLock(bob, now, async () => "acted"),
			);
			expect(failure.kind).toBe("locked");
			expect(failure.message).toContain("ann@desk:1");
		});
	});

	it("is never taken from a holder that lives, however long it takes", async () => {
		const { ann, bob, clock } = ground();
		const order: string[] = [];
		const first = withHostLock(ann, now, async () => {
			await clock.sleep(90_000);
			order.push("ann");
		});
		const second = withHostLock(bob, patient, async () => {
			order.push("bob");
		});
		await Promise.all([first, second]);
		expect(order).toEqual(["ann", "bob"]);
	});

	it("is taken over once its holder was watched without a heartbeat for 20 s", async () => {
		const world = ground();
		await killedHolder(world.ann);
		const since = world.clock.now();
		await withHostLock(world.bob, patient, async () => {
			expect(world.clock.now() - since).toBeGreaterThanOrEqual(20_000);
		});
		expect(lockFiles(world)).toEqual([]);
	});

	it("of a holder found dead on one of several hosts is not watched anew on each", async () => {
		const names = ["h1", "h2", "h3", "h4", "h5"];
		const hosts = new Map(names.map((name) => [name, new FakeFiles()]));
		const world = ground();
		const spread = (context: OperationContext): OperationContext => ({
			...context,
			inventory: {
				...context.inventory,
				nodes: context.inventory.nodes.flatMap((node, at) =>
					at === 0 ? names.map((host) => ({ ...node, host })) : [],
				),
			},
			machines: {
				...context.machines,
				host: async (name) => {
					const files = hosts.get(name);
					if (files === undefined) throw new Error(`there is no ${name}`);
					return files.host(name);
				},
			},
		});
		await killedHolder(spread(world.ann));
		const since = world.clock.now();
		await withHostLock(spread(world.bob), patient, async () => {
			expect(world.clock.now() - since).toBeGreaterThanOrEqual(20_000);
			expect(world.clock.now() - since).toBeLessThan(40_000);
		});
	});

	it("is taken over from a dead holder without any wish to wait, too", async () => {
		const world = ground();
		await killedHolder(world.ann);
		const since = world.clock.now();
		expect(await withHostLock(world.bob, now, async () => "acted")).toBe(
			"acted",
		);
		expect(world.clock.now() - since).toBeGreaterThanOrEqual(20_000);
	});

	it("is never given up to a dead holder, however short the wait", async () => {
		const world = ground();
		await killedHolder(world.ann);
		const hasty = { operation: "recover", lockWaitMs: 10_000 };
		expect(await withHostLock(world.bob, hasty, async () => "acted")).toBe(
			"acted",
		);
	});

	it("sweeps what was never put in its place, a day later", async () => {
		const world = ground();
		const of = (nonce: string) => `/state/operation.lock.${nonce}`;
		const [dead, waiting] = [randomUUID(), randomUUID()].map(of) as [
			string,
			string,
		];
		for (const path of [dead, waiting])
			world.files.files.set(`${path}/holder.json`, "{}");
		world.files.old.add(dead).add("/state/operation.lock");
		await withHostLock(world.ann, now, async () => undefined);
		expect(world.files.below("/state")).toEqual([`${waiting}/holder.json`]);
	});

	it("goes to one only of several that find its holder dead", async () => {
		const world = ground();
		await killedHolder(world.ann);
		let acting = 0;
		let most = 0;
		const act = async ({ signal }: OperationLock) => {
			most = Math.max(most, ++acting);
			await world.clock.sleep(30_000);
			expect(signal.aborted).toBe(false);
			acting--;
		};
		const names = ["bob", "cid", "dan"];
		await Promise.all(
			names.map((name) => {
				const holder = { holder: `${name}@desk:1`, host: "desk" };
				return withHostLock({ ...world.ann, holder }, patient, act);
			}),
		);
		expect(most).toBe(1);
	});

	it("ends the operation of a holder that was so slow that another took over", async () => {
		const { ann, bob, clock, files } = ground();
		const slow = withHostLock(ann, now, async (lock) => {
			// As if its process had been stopped: nobody beats, and somebody else takes the lock.
			files.move("/state/operation.lock", "/state/operation.lock.dead-x");
			await withHostLock(bob, now, async () => {
				await expect(lock.requireFresh()).rejects.toThrow("lost");
				await clock.sleep(10_000);
			});
			expect(lock.signal.aborted).toBe(true);
		});
		await slow;
		expect(files.below("/state/operation.lock")).toEqual([]);
	});

	it("tells whether its holder lives", async () => {
		const world = ground();
		expect(await hostLockStatus(world.bob)).toBeNull();
		await withHostLock(world.ann, now, async () => {
			expect(await hostLockStatus(world.bob)).toMatchObject({
				...{ holder: "ann@desk:1", operation: "recover", isAlive: true },
			});
		});
		await killedHolder(world.ann);
		expect(await hostLockStatus(world.bob)).toMatchObject({ isAlive: false });
	});

	it.each([
		["fails when it is repeated", false],
		["brings no answer", true],
	])("is taken where its rename came about and %s", async (_, isSilent) => {
		const world = ground();
		world.files.program = (argv) => {
			const [program, , own = "", lock = ""] = argv;
			if (program !== "mv" || lock !== "/state/operation.lock") return null;
			world.files.program = () => null;
			world.files.move(own, lock);
			if (isSilent) throw new OperatorError("unreachable", "the line broke");
			return failed("No such file or directory");
		};
		const since = world.clock.now();
		await withHostLock(world.ann, now, async () => {
			expect(world.clock.now()).toBe(since);
			expect(lockFiles(world)).toEqual(["/state/operation.lock/holder.json"]);
		});
		expect(world.files.below("/state")).toEqual([]);
	});

	it("says what is in the way when it can be neither taken nor read", async () => {
		const world = ground();
		world.files.files.set("/state/operation.lock/strange", "");
		const failure = await failureOf(
			withHostLock(world.ann, now, async () => undefined),
		);
		expect(failure.kind).toBe("refused");
		expect(failure.next).toContain("mv /state/operation.lock");
	});
});
