import { describe, expect, it } from "vitest";
import { benchText } from "../../../src/cli/bench/bench-text.js";
import { plotText } from "../../../src/cli/bench/plot-text.js";
import { besideEtcd, sweep } from "./report.js";

describe("what people see of a bench", () => {
	it("is a line for each system, and how one did over the other", async () => {
		await expect(benchText(besideEtcd)).toMatchFileSnapshot(
			"beside-etcd.golden",
		);
	});

	it("is, of a sweep, a plot of latency against rate", async () => {
		await expect(benchText(sweep)).toMatchFileSnapshot("sweep.golden");
	});

	it("tells of an interruption, and of keys that are left", () => {
		const keys = { prefix: "raftctl/bench/x/", removed: 0, left: ["raftd"] };
		const text = benchText({ ...sweep, results: [], interrupted: true, keys });
		expect(text.split("\n")).toEqual([
			"Nothing was measured.",
			"Interrupted: this is what was measured so far.",
			"The keys below raftctl/bench/x/ are still in raftd.",
		]);
	});
});

describe("a plot", () => {
	const plot = { title: "t", xLabel: "x", width: 60, height: 8 };

	it("of nothing says so", () => {
		expect(plotText({ ...plot, series: [] })).toBe("t: nothing to draw");
	});

	it("keeps within its width, whatever the numbers", () => {
		for (const max of [0.5, 7, 99, 1000, 123_456, 9_999_999]) {
			const points = [1, 2, 3].map((n) => [(n * max) / 3, n * max] as const);
			const text = plotText({
				...plot,
				series: [{ name: "n", mark: "o", points }],
			});
			const lines = text.split("\n");
			for (const line of lines) expect(line.length).toBeLessThanOrEqual(60);
			const body = lines.slice(1, 9).join("");
			expect(body.match(/o/g)).toHaveLength(3);
		}
	});
});
