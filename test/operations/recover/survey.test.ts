import { describe, expect, it } from "vitest";
import {
	bestOf,
	type Holding,
	losses,
} from "../../../src/operations/recover/survey.js";

const voters = ["n1", "n2", "n3"];

function holding(
	node: string,
	holds: Partial<Holding["holds"] & object> | null,
	fault = "",
): Holding {
	const all = { term: 5, lastTerm: 5, lastIndex: 100, commit: 100 };
	return {
		...{ node, running: false, fault },
		holds:
			holds === null
				? null
				: { ...all, voters, configurationIndex: 1, ...holds },
	};
}

describe("the survivor to go on from", () => {
	it("has the highest last term, and only then the highest index", () => {
		const found = [
			holding("n1", { lastTerm: 4, lastIndex: 900 }),
			holding("n2", { lastTerm: 5, lastIndex: 100 }),
			holding("n3", { lastTerm: 5, lastIndex: 101 }),
		];
		expect(bestOf(found)?.node).toBe("n3");
	});

	it("is never one that is damaged", () => {
		const found = [
			holding("n1", { lastIndex: 900 }, "damaged: a hole"),
			holding("n2", {}),
		];
		expect(bestOf(found)?.node).toBe("n2");
		expect(bestOf([holding("n1", null, "gone")])).toBeNull();
	});
});

describe("what is said of losses", () => {
	it("is that writes may be gone, behind which index, and who had them", () => {
		const best = holding("n1", {});
		const found = [best, holding("n2", null, "gone"), holding("n3", null, "x")];
		expect(losses(found, best)).toEqual([
			"Gone: n2, n3, of the voters n1, n2, n3. Writes behind index 100 that were acknowledged without the survivors are lost; how many nobody can say.",
		]);
	});

	it("is nothing when a majority of the disks is there", () => {
		const best = holding("n1", { commit: 95 });
		const found = [best, holding("n2", {}), holding("n3", null, "gone")];
		const [first, second] = losses(found, best);
		expect(first).toContain("nothing that was acknowledged is lost");
		expect(second).toContain("96 to 100 of n1 are kept");
	});

	it("counts a damaged disk as gone", () => {
		const best = holding("n1", {});
		const found = [
			best,
			holding("n2", {}, "damaged"),
			holding("n3", null, "x"),
		];
		expect(losses(found, best)[0]).toContain("Gone: n2, n3");
	});

	it("names a survivor that knows newer members than the best", () => {
		const best = holding("n1", {});
		const newer = holding("n4", { configurationIndex: 7, voters: ["n4"] });
		expect(losses([best, newer], best).join(" ")).toContain("n4 knows members");
	});
});
