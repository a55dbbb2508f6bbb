import { describe, expect, it } from "vitest";
import { quorumFault, type Sample } from "./quorum-watch.js";
import type { Configuration, Look, NodeView } from "./view.js";

type Role = Configuration["members"][number]["role"];

function configurationOf(
	roles: Readonly<Record<string, Role>>,
	index = 1,
): Configuration {
	const members = Object.entries(roles).map(([id, role]) => ({
		...{ id, role },
		incarnation: `disk of ${id}`,
	}));
	return { index, members };
}

const three = configurationOf({ n1: "voter", n2: "voter", n3: "voter" });

function view(id: string, changes: Partial<NodeView> = {}): NodeView {
	return {
		...{ id, incarnation: `disk of ${id}`, role: "follower", term: 1 },
		clusterId: "c1",
		...{ leader: "n1", durable: 10, commit: 10, configuration: three },
		...{ draining: false, lockHolder: "", operation: "" },
		...changes,
	};
}

function sample(
	looks: Readonly<Record<string, Look>>,
	changes: Partial<Sample> = {},
): Sample {
	return {
		looks: new Map(Object.entries(looks)),
		...{ floor: 10, settled: three, struck: new Set() },
		...changes,
	};
}

const all = { n1: view("n1"), n2: view("n2"), n3: view("n3") };

describe("the watch of the quorum", () => {
	it("is content while a majority runs and holds what was committed", () => {
		expect(quorumFault(sample(all))).toBeNull();
		expect(quorumFault(sample({ ...all, n3: "gone" }))).toBeNull();
	});

	it("notices that a majority is gone", () => {
		const looks = { ...all, n2: "gone", n3: "gone" } as const;
		expect(quorumFault(sample(looks))).toContain("missing: n2, n3");
	});

	it("does not count a voter that lags behind what was committed", () => {
		const n2 = view("n2", { durable: 9 });
		expect(quorumFault(sample({ ...all, n2, n3: "gone" }))).not.toBeNull();
	});

	it("does not count a disk that the configuration does not mean", () => {
		const n2 = view("n2", { incarnation: "a new disk" });
		expect(quorumFault(sample({ ...all, n2, n3: "gone" }))).not.toBeNull();
	});

	it("sets aside who is only silent, and whom the torture itself struck", () => {
		const silent = { ...all, n2: "silent", n3: "gone" } as const;
		expect(quorumFault(sample(silent))).toBeNull();
		const dead = { ...all, n2: "gone", n3: "gone" } as const;
		const struck = new Set(["n3"]);
		expect(quorumFault(sample(dead, { struck }))).toBeNull();
	});

	it("wants a majority of both sets of voters while a configuration is joint", () => {
		const configuration = configurationOf(
			{ n1: "voter", n2: "voter", n3: "outgoing", n4: "voter" },
			2,
		);
		const n1 = view("n1", { configuration });
		const four = { ...all, n1, n4: view("n4", { configuration }) };
		expect(quorumFault(sample(four))).toBeNull();
		const old = { ...four, n2: "gone", n3: "gone" } as const;
		expect(quorumFault(sample(old))).toContain("n1, n2, n3");
	});
});
