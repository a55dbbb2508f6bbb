import { describe, expect, it } from "vitest";
import { isAtRest, membersNow, unrestOf } from "./settled.js";
import type { NodeView } from "./view.js";

const configuration = {
	index: 4,
	members: [
		{ id: "n1", role: "voter", incarnation: "" },
		{ id: "n2", role: "learner", incarnation: "" },
	],
} as const;

function view(id: string, changes: Partial<NodeView> = {}): NodeView {
	return {
		...{ id, incarnation: "", role: "follower", term: 2, leader: "n1" },
		clusterId: "c1",
		...{ durable: 9, commit: 9, configuration, draining: false },
		...{ lockHolder: "", operation: "" },
		...changes,
	};
}

const leading = view("n1", { role: "leader" });

describe("a cluster", () => {
	it("is at rest when all members say the same and nothing is held", () => {
		const looks = [leading, view("n2"), "gone" as const];
		expect(isAtRest(unrestOf(looks))).toBe(true);
		const members = { voters: ["n1"], learners: ["n2"], leader: "n1" };
		expect(membersNow(looks)).toEqual(members);
	});

	it("is not while a node is drained", () => {
		const looks = [leading, view("n2", { draining: true })];
		expect(unrestOf(looks).drained).toEqual(["n2"]);
	});

	it("is not while a lock is held or an operation is unfinished", () => {
		const held = view("n2", { lockHolder: "ann", operation: "o1" });
		expect(unrestOf([leading, held]).held).toHaveLength(2);
	});

	it("is not while a member is silent or sees something else", () => {
		expect(unrestOf([leading, "silent"]).views).toContain("n2 does not answer");
		const other = view("n2", { term: 3 });
		expect(unrestOf([leading, other]).views).toHaveLength(2);
	});

	it("is not while nobody leads, or nobody answers", () => {
		const looks = ["n1", "n2"].map((id) => view(id, { leader: "" }));
		expect(unrestOf(looks).views).toContain("no leader");
		expect(isAtRest(unrestOf(["gone", "gone"]))).toBe(false);
	});
});
