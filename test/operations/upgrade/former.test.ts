import { describe, expect, it } from "vitest";
import { formerOf } from "../../../src/operations/upgrade/former.js";

const upgrade = (
	releases: Record<string, string | null>,
	to: string,
	state = "done",
) =>
	({
		state,
		record: {
			operation: "upgrade",
			memo: { releases },
			arguments: {
				targets: Object.fromEntries(
					Object.keys(releases).map((id) => [id, to]),
				),
			},
		},
	}) as unknown as Parameters<typeof formerOf>[0][number];

describe("what nodes ran before they were last upgraded", () => {
	it("is what the newest upgrade found on them", () => {
		const newestFirst = [
			upgrade({ n1: "B", n2: "B" }, "C"),
			upgrade({ n1: "A", n2: "A" }, "B"),
		];
		expect(formerOf(newestFirst, [])).toEqual({ n1: "B", n2: "B" });
	});

	it("is not what an upgrade found that ended before it had touched anything", () => {
		const newestFirst = [
			upgrade({ n1: "B", n2: "B" }, "C", "failed"),
			upgrade({ n1: "A", n2: "A" }, "B"),
		];
		expect(formerOf(newestFirst, [])).toEqual({ n1: "A", n2: "A" });
	});

	it("is for each node what it ran before the release, when that took two upgrades", () => {
		const newestFirst = [
			upgrade({ n1: "B", n2: "A" }, "B"),
			upgrade({ n1: "A", n2: "A" }, "B", "aborted"),
		];
		expect(formerOf(newestFirst, ["n1", "n2"])).toEqual({ n1: "A", n2: "A" });
	});
});
