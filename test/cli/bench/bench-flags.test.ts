import { describe, expect, it } from "vitest";
import { courseOf } from "../../../src/cli/bench/bench-flags.js";
import { parseCommandLine } from "../commands.js";

const none = {
	...{ clients: undefined, rate: undefined, sweep: false },
	...{ steps: undefined, duration: undefined },
};

describe("the flags of bench", () => {
	it("ask for 64 clients for ten seconds when nothing is given", () => {
		expect(courseOf(none)).toEqual({
			course: { mode: "closed", clients: 64 },
			durationMs: 10_000,
		});
	});

	it("ask for an open loop by a rate, and for a sweep by its name", () => {
		expect(courseOf({ ...none, rate: 500, duration: 2000 })).toEqual({
			course: { mode: "open", perSecond: 500 },
			durationMs: 2000,
		});
		expect(courseOf({ ...none, sweep: true, clients: 8 })).toEqual({
			course: { mode: "sweep", clients: 8, steps: 10 },
			durationMs: 5000,
		});
	});

	it("take no measurement of no length", () => {
		expect(() => courseOf({ ...none, duration: 0 })).toThrow("--duration");
	});

	it.each([
		[["--rate", "5", "--clients", "2"]],
		[["--rate", "5", "--sweep"]],
		[["--steps", "5"]],
		[["--reads", "1.1"]],
		[["--reads", "x"]],
		[["--bytes", "0"]],
	])("%j is no command line", async (flags) => {
		await expect(parseCommandLine(["bench", ...flags])).rejects.toThrow();
	});
});
