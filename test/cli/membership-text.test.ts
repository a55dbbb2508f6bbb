import { describe, expect, it } from "vitest";
import { membershipText } from "../../src/cli/membership-text.js";
import { takenUpText } from "../../src/cli/taken-up-text.js";
import { removeNode } from "../../src/operations/membership/remove-node.js";
import { scale } from "../../src/operations/membership/scale.js";
import { takeUpUnfinished } from "../../src/operations/taking-up.js";
import {
	changing,
	type Done,
	five,
	killAt,
	run,
	three,
} from "../operations/membership/changing.js";

describe("the text of a change of members", () => {
	it("shows who is a member and says so, where the data is, and what the file lacks", async () => {
		const make = () => removeNode({ node: "n5", skip: [] });
		const text = membershipText(await run(changing(five), make));
		expect(text).toMatch(/^remove-node of test: remove n5, in /);
		expect(text).toMatch(/^NODE +ROLE +SAYS SO$/m);
		expect(text).toMatch(/^n4 +voter +yes$/m);
		expect(text).toContain("the data of n5 is kept in /data/n5 on local");
		expect(text).toMatch(/^in the cluster file:$/m);
	});

	it("of nothing to change asks nobody, and shows no column for it", async () => {
		const make = () => scale({ voters: 3, skip: [] });
		const text = membershipText(await run(changing(three), make));
		expect(text).toContain("nothing was left to change");
		expect(text).not.toContain("SAYS SO");
		expect(text).toMatch(/^n1 +voter$/m);
	});

	it.each(["resume", "abort"] as const)(
		"is the same after %s, the diff of the file included",
		async (as) => {
			const world = changing(five);
			const make = () => removeNode({ node: "n5", skip: [] });
			const boundary = "step-finished n5/remove";
			await killAt(world, make, { boundary, afterMs: 0 });
			const report: object = await takeUpUnfinished(world.context, {
				...{ id: null, lockWaitMs: 25_000, as },
			});
			const text = takenUpText(as, report as Done);
			expect(text.split("\n")[0]).toMatch(
				as === "resume" ? / is done; / : / is given up; nothing is half done/,
			);
			expect(text).toMatch(/^n4 +voter +yes$/m);
			expect(text).toContain("the data of n5 is kept in /data/n5 on local");
			expect(text).toMatch(/^in the cluster file:$/m);
		},
	);
});
