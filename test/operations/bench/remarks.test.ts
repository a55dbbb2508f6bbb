import { describe, expect, it } from "vitest";
import { remarksOn } from "../../../src/operations/bench/remarks.js";

const latency = {
	...{ count: 900, meanMs: 1, p50Ms: 1, p90Ms: 1, p99Ms: 1 },
	...{ p999Ms: 1, maxMs: 1 },
};
const calm = {
	loop: { mode: "open" as const, perSecond: 1000 },
	...{ perSecond: 999, errors: {}, failed: 0, latency },
	generator: { busy: 0.5, lateP99Ms: 1 },
};

describe("what to know before the numbers of a bench are believed", () => {
	it("is nothing where the generator had time and all went well", () => {
		expect(remarksOn(calm)).toEqual([]);
	});

	it("names the generator when it was the limit", () => {
		const busy = { busy: 0.97, lateP99Ms: 1 };
		expect(remarksOn({ ...calm, generator: busy })).toEqual([
			expect.stringContaining("busy for 97 % of the time"),
		]);
	});

	it("says that requests were sent late", () => {
		const late = { busy: 0.5, lateP99Ms: 40 };
		expect(remarksOn({ ...calm, generator: late })).toEqual([
			expect.stringContaining("more than 40 ms late"),
		]);
	});

	it("says what was not answered in time, and what failed, the most frequent first", () => {
		const errors = { timeout: 10, overloaded: 90 };
		expect(remarksOn({ ...calm, perSecond: 900, errors, failed: 100 })).toEqual(
			[
				"900 a second were answered of 1000 that were asked for",
				"100 of 1000 requests failed: 90 overloaded; 10 timeout",
			],
		);
	});
});
