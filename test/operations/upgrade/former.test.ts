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

const rollback = (
	releases: Record<string, string | null>,
	targets: Record<string, string | null>,
	state = "done",
) =>
	({
		state,
		record: {
			...{ operation: "upgrade rollback", memo: { releases } },
			arguments: { targets },
		},
	}) as unknown as Parameters<typeof formerOf>[0][number];

describe("what nodes ran before they were last upgraded", () => {
	it("is what the newest upgrade found on them", () => {
		const newestFirst = [
			upgrade({ n1: "B", n2: "B" }, "C"),
			upgrade({ n1: "A", n2: "A" }, "B"),
		];
		expect(formerOf(newestFirst, [], { n1: "C", n2: "C" })).toEqual({
			...{ n1: "B", n2: "B" },
		});
	});

	it("is not what an upgrade found that ended before it had touched anything", () => {
		const newestFirst = [
			upgrade({ n1: "B", n2: "B" }, "C", "failed"),
			upgrade({ n1: "A", n2: "A" }, "B"),
		];
		expect(formerOf(newestFirst, [], { n1: "B", n2: "B" })).toEqual({
			...{ n1: "A", n2: "A" },
		});
	});

	it("is for each node what it ran before the release, when that took two upgrades", () => {
		const newestFirst = [
			upgrade({ n1: "B", n2: "A" }, "B"),
			upgrade({ n1: "A", n2: "A" }, "B", "aborted"),
		];
		expect(formerOf(newestFirst, ["n1", "n2"], { n1: "B", n2: "B" })).toEqual({
			n1: "A",
			n2: "A",
		});
	});

	it("is not what an upgrade found that was given up and left every node with what it ran", () => {
		const newestFirst = [
			upgrade({ n1: "B", n2: "B" }, "C", "aborted"),
			upgrade({ n1: "A", n2: "A" }, "B"),
		];
		expect(formerOf(newestFirst, [], { n1: "B", n2: "B" })).toEqual({
			...{ n1: "A", n2: "A" },
		});
	});

	it("is what an upgrade found that was given up after the first node", () => {
		const newestFirst = [
			upgrade({ n1: "B", n2: "B" }, "C", "aborted"),
			upgrade({ n1: "A", n2: "A" }, "B"),
		];
		const back = { n1: "B", n2: "B" };
		expect(formerOf(newestFirst, [], { n1: "C", n2: "B" })).toEqual(back);
		// A host that does not tell may have it.
		expect(formerOf(newestFirst, [], { n2: "B" })).toEqual(back);
	});

	it("is what they went back to, once they did: no step further", () => {
		const newestFirst = [
			rollback({ n1: "C", n2: "B" }, { n1: "B", n2: "B" }),
			upgrade({ n1: "B", n2: "B" }, "C", "aborted"),
			upgrade({ n1: "A", n2: "A" }, "B"),
		];
		expect(formerOf(newestFirst, [], { n1: "B", n2: "B" })).toEqual({
			...{ n1: "B", n2: "B" },
		});
	});

	it("is for the others, too, where some went back by themselves", () => {
		const newestFirst = [
			rollback({ n2: "C" }, { n2: "B" }),
			upgrade({ n1: "B", n2: "B" }, "C"),
		];
		expect(formerOf(newestFirst, [], { n1: "C", n2: "B" })).toEqual({
			...{ n1: "B", n2: "B" },
		});
	});

	it("is by the upgrade before, where a rollback ended before it had touched anything", () => {
		for (const state of ["failed", "aborted"]) {
			const newestFirst = [
				rollback({ n1: "B" }, { n1: "0" }, state),
				upgrade({ n1: "A" }, "B"),
			];
			expect(formerOf(newestFirst, [], { n1: "B" })).toEqual({ n1: "A" });
		}
	});
});
