import { describe, expect, it } from "vitest";
import { rollText } from "../../src/cli/roll-text.js";
import { rollingRestart } from "../../src/operations/rolling-restart.js";
import { operating } from "../operations/operating.js";

describe("the text of a roll", () => {
	const whole = { nodes: [], skip: [], lockWaitMs: 0, dryRun: false };

	it("shows as a plan what each step will cost", async () => {
		const { cluster, context } = operating();
		cluster.connect(7, "n3");
		const text = rollText(
			await rollingRestart(context, { ...whole, dryRun: true }),
		);
		expect(text).toContain("nothing was touched");
		expect(text).toMatch(/n3\/drain +.* +7 connections move, over 500 ms/);
		expect(text).toMatch(/n1\/transfer +hand its leadership over/);
	});

	it("shows afterwards what it did cost", async () => {
		const { cluster, context } = operating();
		cluster.connect(7, "n3");
		const text = rollText(await rollingRestart(context, whole));
		expect(text).toMatch(/^restarted 3 nodes of test in \d+\.\d s$/m);
		expect(text).toMatch(/^n3 +7 +\d+\.\d s +\d+\.\d s$/m);
		expect(text).toMatch(/^leadership went from n1 to n\d in 40 ms$/m);
		expect(text).toContain("without a leader: 0 ms at most");
	});
});
