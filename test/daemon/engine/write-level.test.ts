import { describe, expect, it } from "vitest";
import { MemberIncarnations } from "../../../src/daemon/engine/incarnations.js";
import {
	writeLevelOutcome,
	writeLevelRefusal,
} from "../../../src/daemon/engine/write-level.js";
import type { Configuration } from "../../../src/raft/types.js";

const configuration: Configuration = {
	...{ voters: ["n1", "n2"], outgoing: ["n3"], learners: ["n4"] },
	addresses: {},
};
const both = { readsFrom: 1, readsTo: 2, writes: 2 };
const old = { readsFrom: 1, readsTo: 1, writes: 1 };

function refusal(
	level: number,
	others: Record<string, typeof both>,
	machine = both,
): string | null {
	return writeLevelRefusal(level, {
		...{ self: "n1", configuration, machine },
		levelsOf: (peer) => others[peer] ?? null,
	});
}

describe("raising the write level (P61)", () => {
	it("is refused while one member, learner or leaving, reads less or is not connected", () => {
		const all = { n2: both, n3: both, n4: both };
		expect(refusal(2, all)).toBeNull();
		expect(refusal(2, { ...all, n4: old })).toBe("n4 reads levels 1 to 1");
		expect(refusal(2, { n2: old, n4: both })).toBe(
			"n2 reads levels 1 to 1; n3 is not connected",
		);
		expect(refusal(2, all, old)).toBe("n1 writes level 1 at most");
		const young = { readsFrom: 2, readsTo: 3, writes: 3 };
		expect(refusal(1, { ...all, n3: young })).toBe("n3 reads levels 2 to 3");
	});

	it("ends with what the cluster's state says of it", () => {
		const applied = (result: object) =>
			writeLevelOutcome({
				...{ kind: "applied", index: 1 },
				result: Buffer.from(JSON.stringify(result)),
			});
		expect(applied({ ok: true })).toBeNull();
		expect(applied({ ok: false, reason: "lower" })).toContain("never goes");
		expect(writeLevelOutcome({ kind: "unknown", message: "who knows" })).toBe(
			"who knows",
		);
		expect(writeLevelOutcome({ kind: "committed", index: 1 })).toContain(
			"not known",
		);
	});
});

describe("which data directory a member has (P31)", () => {
	it("says the configuration in force; for whom it names none, the first one met", () => {
		const met = new Map([
			["n1", "met-1"],
			["n2", "met-2"],
		]);
		const address = { peer: "h:1", client: "h:2", admin: "h:3" };
		let addresses: Configuration["addresses"] = { n1: address };
		const incarnations = new MemberIncarnations(
			{
				known: (id) => met.get(id) ?? null,
				learn: (id, incarnation) => void met.set(id, incarnation),
			},
			() => ({ ...configuration, addresses }),
		);
		expect(incarnations.known("n1")).toBe("met-1");
		expect(incarnations.known("n3")).toBeNull();
		addresses = { n1: { ...address, incarnation: "named-1" } };
		expect(incarnations.known("n1")).toBe("named-1");
		expect(incarnations.known("n2")).toBe("met-2");
		incarnations.learn("n3", "met-3");
		expect(incarnations.known("n3")).toBe("met-3");
	});
});
