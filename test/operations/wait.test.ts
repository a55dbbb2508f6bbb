import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { waitUntil } from "../../src/operations/wait.js";
import { FakeClock } from "../fakes/fake-clock.js";

const waiting = (clock: FakeClock, probe: () => Promise<string | null>) =>
	waitUntil(
		{ clock },
		{
			...{ name: "the lock", node: null, timeoutMs: 60_000, probe },
			signal: new AbortController().signal,
		},
	);

describe("waiting", () => {
	it("goes on while nobody answers, and ends when it holds", async () => {
		let asked = 0;
		await waiting(new FakeClock(), async () => {
			if (++asked < 5) throw new OperatorError("unreachable", "n1 is silent");
			return null;
		});
		expect(asked).toBe(5);
	});

	it("ends at once with what only somebody can mend", async () => {
		const denied = new OperatorError("unreachable", "n1: wrong role", {
			isLasting: true,
		});
		let asked = 0;
		const ended = waiting(new FakeClock(), async () => {
			asked++;
			throw denied;
		});
		await expect(ended).rejects.toBe(denied);
		expect(asked).toBe(1);
	});
});
