import { describe, expect, it } from "vitest";
import type { LockStatus } from "../../src/cluster/engine.js";
import { OperatorError } from "../../src/errors.js";
import { withLock } from "../../src/operations/lock.js";
import { failureOf, type Operating, operating } from "./operating.js";

function heldByBob({ clock }: Operating, forMs: number): LockStatus {
	return {
		holder: "bob@ci:7",
		host: "ci",
		nonce: "bob's",
		operation: "rolling-restart",
		step: "n2/drain",
		fencingToken: 0,
		acquiredAtMs: clock.now(),
		expiresAtMs: clock.now() + forMs,
	};
}

const wish = { operation: "drain", lockWaitMs: 0 };

describe("the operation lock", () => {
	it("is held for as long as the work takes, and shows its step", async () => {
		const world = operating();
		await withLock(world.context, wish, async (lock) => {
			lock.setStep("n1/drain");
			await world.clock.sleep(120_000);
			expect(world.cluster.lockNow()).toMatchObject({
				holder: "ann@desk:1",
				step: "n1/drain",
			});
			expect(lock.signal.aborted).toBe(false);
		});
		expect(world.cluster.lock).toBeNull();
	});

	it("is released when the work fails, and the failure stays as it is", async () => {
		const world = operating();
		const cause = new OperatorError("timeout", "too slow");
		const work = withLock(world.context, wish, () => Promise.reject(cause));
		await expect(work).rejects.toBe(cause);
		expect(world.cluster.lock).toBeNull();
	});

	it("is waited for as long as wished", async () => {
		const world = operating();
		world.cluster.lock = heldByBob(world, 30_000);
		await withLock(
			world.context,
			{ ...wish, lockWaitMs: 60_000 },
			async () => undefined,
		);
		expect(world.clock.now()).toBeGreaterThanOrEqual(30_000);
		expect(world.events.filter(({ type }) => type === "warning")).toHaveLength(
			1,
		);
	});

	it("is not waited for longer than wished, and its holder is named", async () => {
		const world = operating();
		world.cluster.lock = heldByBob(world, 300_000);
		const failure = await failureOf(
			withLock(
				world.context,
				{ ...wish, lockWaitMs: 10_000 },
				async () => undefined,
			),
		);
		expect(failure.exitCode).toBe(13);
		expect(failure.message).toMatch(/rolling-restart by bob@ci:7 .*n2\/drain/);
		expect(world.clock.now()).toBeLessThan(12_000);
	});

	it("can be waited for no longer once Ctrl-C is pressed", async () => {
		const world = operating();
		world.cluster.lock = heldByBob(world, 300_000);
		world.onEvent = () => world.abort.abort();
		const failure = await failureOf(
			withLock(
				world.context,
				{ ...wish, lockWaitMs: 60_000 },
				async () => undefined,
			),
		);
		expect(failure.exitCode).toBe(130);
	});

	it("cannot be taken without a quorum, and that is said", async () => {
		const world = operating();
		world.cluster.stop("n2");
		world.cluster.stop("n3");
		const failure = await failureOf(
			withLock(world.context, wish, async () => undefined),
		);
		expect(failure.exitCode).toBe(20);
		expect(failure.message).toContain("could not be taken");
	});

	it("is asked of the next node when one is down", async () => {
		const world = operating();
		world.cluster.stop("n1");
		await world.clock.sleep(1_100);
		const token = await withLock(
			world.context,
			wish,
			async (lock) => lock.fencingToken,
		);
		expect(token).toBe(1);
	});

	it("that was granted in an answer that never came is found again", async () => {
		const world = operating();
		const { engine } = world.context;
		let lostAnswers = 0;
		const forgetful = {
			...engine,
			acquireLock: async (...asked: Parameters<typeof engine.acquireLock>) => {
				const lock = await engine.acquireLock(...asked);
				if (lostAnswers++ > 0) return lock;
				throw new OperatorError("unreachable", "n1 did not answer");
			},
		};
		const token = await withLock(
			{ ...world.context, engine: forgetful },
			wish,
			async (lock) => lock.fencingToken,
		);
		expect(token).toBe(1);
		expect(world.cluster.lock).toBeNull();
	});

	it("of another process under the same name is never taken for its own", async () => {
		const world = operating();
		const { engine } = world.context;
		await withLock(world.context, wish, async ({ fencingToken }) => {
			let asked = 0;
			const flaky = {
				...engine,
				acquireLock: async (
					...wanted: Parameters<typeof engine.acquireLock>
				) => {
					if (asked++ > 0) return engine.acquireLock(...wanted);
					throw new OperatorError("timeout", "n1 did not answer in 2000 ms");
				},
			};
			const second = withLock(
				{ ...world.context, engine: flaky },
				wish,
				async () => undefined,
			);
			expect((await failureOf(second)).exitCode).toBe(13);
			expect(world.cluster.lockNow()?.fencingToken).toBe(fencingToken);
		});
	});

	it("that was granted after the wait was over is given back", async () => {
		const world = operating();
		const { engine } = world.context;
		const slow = {
			...engine,
			acquireLock: async (...asked: Parameters<typeof engine.acquireLock>) => {
				void world.clock
					.sleep(700)
					.then(() => engine.acquireLock(...asked))
					.catch(() => undefined);
				throw new OperatorError("timeout", "no answer");
			},
		};
		const failure = await failureOf(
			withLock({ ...world.context, engine: slow }, wish, async () => undefined),
		);
		expect(failure.exitCode).toBe(12);
		expect(world.cluster.newestToken).toBe(1);
		expect(world.cluster.lock).toBeNull();
	});

	it("that was granted to another after an unanswered wait is left alone", async () => {
		const world = operating();
		const { engine } = world.context;
		const lost = {
			...engine,
			acquireLock: async () => {
				world.cluster.lock = heldByBob(world, 60_000);
				throw new OperatorError("timeout", "no answer");
			},
		};
		await failureOf(
			withLock({ ...world.context, engine: lost }, wish, async () => undefined),
		);
		expect(world.cluster.lock?.holder).toBe("bob@ci:7");
	});

	it("can be proven on the spot, and is lost when it cannot", async () => {
		const world = operating();
		const failure = await failureOf(
			withLock(world.context, wish, async (lock) => {
				await world.clock.sleep(1_000);
				await lock.requireFresh();
				expect(world.cluster.lockNow()?.expiresAtMs).toBe(
					world.clock.now() + 20_000,
				);
				world.cluster.lock = heldByBob(world, 60_000);
				await lock.requireFresh().catch(() => undefined);
				expect(lock.signal.aborted).toBe(true);
				await lock.requireFresh();
			}),
		);
		expect(failure.exitCode).toBe(13);
		expect(world.cluster.lock?.holder).toBe("bob@ci:7");
	});

	it("that another took over ends the work", async () => {
		const world = operating();
		const failure = await failureOf(
			withLock(world.context, wish, async (lock) => {
				world.cluster.lock = heldByBob(world, 60_000);
				await world.clock.sleep(60_000, lock.signal);
			}),
		);
		expect(failure.exitCode).toBe(13);
		expect(failure.message).toContain("lost");
		expect(world.cluster.lock?.holder).toBe("bob@ci:7");
	});

	it("that cannot be proven any more ends the work before another could hold it", async () => {
		const world = operating();
		const failure = await failureOf(
			withLock(world.context, wish, async (lock) => {
				world.cluster.stop("n2");
				world.cluster.stop("n3");
				await world.clock.sleep(60_000, lock.signal);
			}),
		);
		expect(failure.exitCode).toBe(13);
		expect(world.clock.now()).toBeLessThanOrEqual(20_000);
	});
});
