import { expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import {
	heldLocks,
	releaseHeldLocks,
} from "../../src/operations/lock-status.js";
import { failureOf, operating } from "./operating.js";

it("who holds the lock is not known where no node answers, and that is said", async () => {
	const { cluster, context } = operating();
	for (const id of ["n1", "n2", "n3"]) cluster.stop(id);
	for (const work of [
		() => heldLocks(context),
		() => releaseHeldLocks(context, async () => undefined),
	])
		expect(await failureOf(work())).toMatchObject({
			...{ kind: "unreachable", next: "raftctl status -c cluster.yaml" },
			state: "nothing was touched; whether anybody operates is not known",
		});
});

it("a release whose answer never came is no release of another's lock", async () => {
	const { context } = operating();
	const { engine } = context;
	await engine.acquireLock(
		{ id: "n1", admin: "n1:3" },
		{
			...{ holder: "bob@desk:2", host: "desk", nonce: "a" },
			...{ operation: "roll", ttlMs: 60_000 },
		},
		{ timeoutMs: 1_000 },
	);
	const silent = {
		...engine,
		releaseLock: async () => {
			throw new OperatorError("unreachable", "nobody answers");
		},
	};
	const failure = await failureOf(
		releaseHeldLocks({ ...context, engine: silent }, async () => undefined),
	);
	expect(failure).toMatchObject({
		...{ kind: "unreachable", next: "raftctl lock status -c cluster.yaml" },
		state: expect.stringMatching(/^whether the lock of "roll by bob.* is not/),
	});
});
