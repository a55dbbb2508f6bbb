import { describe, expect, it } from "vitest";
import { Applier } from "../../../src/daemon/engine/applier.js";
import type { ReplicatedState } from "../../../src/daemon/engine/replicated-state.js";
import { entryBytes } from "../../../src/raft/codec.js";
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
	inOrder = true;
	readonly applier: Applier;

	constructor(maxWaitingBytes: number) {
		const state = {
			failure: null,
			apply: ({ index }: Entry) => {
				this.nowMs += 1;
				this.inOrder &&= index === this.applied + 1;
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

	it("holds no more than it may, and one range, of what is committed faster than it is executed (P57)", async () => {
		const maxWaitingBytes = 20 * entryBytes(entry(1));
		const bench = new Bench(maxWaitingBytes);
		const count = 3000;
		let most = 0;
		const look = () => {
			most = Math.max(most, bench.applier.waitingBytes);
		};
		for (let index = 1; index <= count; index++) {
			bench.applier.add({ first: index, last: index }, [entry(index)]);
			look();
			// One turn for many commits: the machine is slower than the log.
			if (index % 200 === 0) bench.applier.run(() => bench.nowMs);
			look();
		}
		expect(bench.applied).toBeLessThan(count);
		expect(bench.applier.isBehind).toBe(true);
		expect(most).toBeLessThanOrEqual(maxWaitingBytes + entryBytes(entry(1)));
		for (let turn = 0; turn < 4000 && bench.applied < count; turn++) {
			bench.applier.run(() => bench.nowMs);
			await new Promise((resolve) => setImmediate(resolve));
			look();
		}
		expect(bench.inOrder).toBe(true);
		expect(bench.applied).toBe(count);
		expect(bench.applier.waitingBytes).toBe(0);
		expect(bench.applier.isBehind).toBe(false);
	});

	it("is behind while it reads back, however little that is, and no longer when it is done", async () => {
		const bench = new Bench(Number.MAX_SAFE_INTEGER);
		bench.applier.add({ first: 1, last: 3 }, null);
		expect(bench.applier.isBehind).toBe(true);
		bench.applier.run(() => bench.nowMs);
		expect(bench.applied).toBe(0);
		expect(bench.applier.isBehind).toBe(true);
		await new Promise((resolve) => setImmediate(resolve));
		bench.applier.run(() => bench.nowMs);
		expect(bench.applied).toBe(3);
		expect(bench.applier.isBehind).toBe(false);
	});

	it("is behind for as long as anything must still be read, also when what is newer is in memory (P57)", () => {
		const bench = new Bench(Number.MAX_SAFE_INTEGER);
		bench.applier.add({ first: 1, last: 1_000_000 }, null);
		bench.applier.add({ first: 1_000_001, last: 1_000_001 }, [
			entry(1_000_001),
		]);
		expect(bench.applier.isBehind).toBe(true);
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
