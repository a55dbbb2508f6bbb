import { beforeEach, describe, expect, it } from "vitest";
import { zeroCounters } from "../../../src/daemon/engine/engine-stats.js";
import type { Leadership } from "../../../src/daemon/engine/leadership.js";
import { Reads } from "../../../src/daemon/engine/reads.js";
import type { QueryOutcome } from "../../../src/daemon/replica.js";

const leads: Leadership = {
	...{ self: "n1", leader: "n1", isLeader: true, transferring: false },
};
let clockMs = 0;
let asked: number[] = [];
let outcomes: QueryOutcome[] = [];
let reads: Reads;
/** Null while this node holds no lease. */
let leaseIndex: number | null = null;
let appliedIndex = 10;
/** What happens between the look at the lease and the answer. */
let onQuery = () => {};

beforeEach(() => {
	clockMs = 0;
	asked = [];
	outcomes = [];
	leaseIndex = null;
	appliedIndex = 10;
	onQuery = () => {};
	reads = new Reads({
		...{ maxPending: 100, maxPendingBytes: 1000, counters: zeroCounters() },
		nowMs: () => clockMs,
		isConnected: () => true,
		readIndex: (token) => void asked.push(token),
		leaseIndex: () => leaseIndex,
		holdsLease: () => leaseIndex !== null,
		ageMs: () => 70,
		query: (query) => {
			onQuery();
			return query;
		},
		applied: () => appliedIndex,
	});
});

function read(bytes: number): QueryOutcome | null {
	const query = new Uint8Array(bytes);
	const done = (outcome: QueryOutcome) => void outcomes.push(outcome);
	const options = { query, minIndex: 0, deadlineMs: 1000, done };
	return reads.accept(options, "linearizable");
}

it("reads are bounded by their bytes, but a single one is never locked out", () => {
	expect(read(5000)).toBeNull();
	expect(read(1)).toMatchObject({ kind: "failed", reason: "overloaded" });
	reads.dispatch(leads);
	reads.settle({ token: asked[0] as number, index: 10 });
	reads.run();
	expect(outcomes).toMatchObject([{ kind: "answer", index: 10 }]);
	for (const bytes of [400, 600]) expect(read(bytes)).toBeNull();
	expect(read(1)).toMatchObject({ reason: "overloaded" });
	clockMs = 1000;
	reads.expire(leads);
	expect(outcomes).toHaveLength(3);
	expect(read(1000)).toBeNull();
});

describe("a read under the lease", () => {
	function ask(consistency: "lease" | "stale" | "linearizable" = "lease") {
		const done = (outcome: QueryOutcome) => void outcomes.push(outcome);
		const query = Buffer.from("q");
		reads.accept({ query, minIndex: 0, deadlineMs: 1000, done }, consistency);
	}

	it("is answered without a question, once what was committed is applied (P44)", () => {
		leaseIndex = 12;
		ask();
		reads.dispatch(leads);
		reads.run();
		expect({ asked, outcomes }).toEqual({ asked: [], outcomes: [] });
		appliedIndex = 12;
		reads.run();
		expect(outcomes).toMatchObject([{ kind: "answer", index: 12, ageMs: 0 }]);
	});

	it("is asked like any other when there is no lease", () => {
		ask();
		reads.dispatch(leads);
		expect(asked).toHaveLength(1);
		reads.run();
		expect(outcomes).toEqual([]);
	});

	it("is not answered when the lease ran out between the look at it and the answer (P43)", () => {
		leaseIndex = 10;
		onQuery = () => {
			leaseIndex = null;
		};
		ask();
		reads.run();
		expect(outcomes).toEqual([]);
		reads.dispatch(leads);
		expect(asked).toHaveLength(1);
		onQuery = () => {};
		reads.settle({ token: asked[0] as number, index: 10 });
		reads.run();
		expect(outcomes).toMatchObject([{ kind: "answer", index: 10 }]);
	});

	it("differs from a stale one, which says how old it is and asks nobody", () => {
		ask("stale");
		reads.dispatch(leads);
		reads.run();
		expect(asked).toEqual([]);
		expect(outcomes).toMatchObject([{ kind: "answer", ageMs: 70 }]);
	});
});
