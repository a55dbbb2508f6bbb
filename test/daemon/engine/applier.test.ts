import { describe, expect, it } from "vitest";
import { Applier } from "../../../src/daemon/engine/applier.js";
import type { ReplicatedState } from "../../../src/daemon/engine/replicated-state.js";
import { type Entry, EntryKind } from "../../../src/raft/types.js";
import type { LogStorage } from "../../../src/storage/log-storage.js";

function entry(index: number): Entry {
	return {
		...{ index, term: 1, kind: EntryKind.command, level: 1 },
		data: new Uint8Array(100),
	};
}

/** A machine that takes a millisecond for each entry, by a clock of its own; and a log that holds everything. */
class Bench {
	nowMs = 0;
	applied = 0;
	reads = 0;
	readonly applier: Applier;

	constructor(maxWaitingBytes: number) {
		const state = {
			failure: null,
			apply: ({ index }: Entry) => {
				this.nowMs += 1;
				this.applied = index;
				return new Uint8Array(0);
			},
		} as unknown as ReplicatedState;
		const log = {
			read: async (first: number, last: number) => {
				this.reads++;
				const count = last - first + 1;
				return Array.from({ length: count }, (_, at) => entry(first + at));
			},
		} as unknown as LogStorage;
		this.applier = new Applier({
			...{ state, log, maxWaitingBytes },
			onExecuted() {},
			onLoaded() {},
			onUnreadable() {},
		});
	}

	/** Many commits of one entry, while the state is being replaced. */
	addOneByOne(count: number): void {
		this.applier.hold();
		for (let index = 1; index <= count; index++)
			this.applier.add({ first: index, last: index }, [entry(index)]);
		this.applier.release();
	}
}

describe("the applier", () => {
	it("ends its turn in time, however small the ranges are that wait", () => {
		const bench = new Bench(Number.MAX_SAFE_INTEGER);
		bench.addOneByOne(10_000);
		expect(bench.applier.run(() => bench.nowMs)).toBe(true);
		expect(bench.applied).toBeGreaterThan(0);
		expect(bench.applied).toBeLessThan(100);
	});

	it("reads back together what waited in small ranges (P57)", async () => {
		const bench = new Bench(1);
		bench.addOneByOne(1000);
		for (let turn = 0; turn < 2000 && bench.applied < 1000; turn++) {
			bench.applier.run(() => bench.nowMs);
			await new Promise((resolve) => setImmediate(resolve));
		}
		expect(bench.applied).toBe(1000);
		expect(bench.reads).toBeLessThan(20);
	});

	it("adds to no range that is being read", async () => {
		const bench = new Bench(1);
		bench.applier.add({ first: 1, last: 1 }, null);
		bench.applier.run(() => bench.nowMs);
		bench.applier.add({ first: 2, last: 2 }, null);
		for (let turn = 0; turn < 20; turn++) {
			bench.applier.run(() => bench.nowMs);
			await new Promise((resolve) => setImmediate(resolve));
		}
		expect(bench.applied).toBe(2);
	});
});
