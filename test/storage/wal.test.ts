import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { decodeBlock } from "../../src/raft/codec.js";
import { type Entry, EntryKind } from "../../src/raft/types.js";
import { ItemKind, readRecord } from "../../src/storage/record.js";
import {
	dataStart,
	decodeSegmentHeader,
	seedOf,
} from "../../src/storage/segment.js";
import { openWal } from "../../src/storage/wal.js";
import { FakeDisk } from "../fakes/fake-disk.js";
import {
	batchOf,
	contentsOf,
	entry,
	Model,
	openOn,
	place,
	randomHistory,
} from "./history.js";

describe("the log", () => {
	it("gives back any history, whatever the size of its segments", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 1e6 }),
				fc.integer({ min: 1, max: 40 }),
				fc.integer({ min: 1, max: 64 * 1024 }),
				(seed, groups, segmentBytes) => {
					const disk = new FakeDisk(seed);
					const { wal } = openOn(disk, segmentBytes);
					const model = new Model();
					for (const group of randomHistory(seed, groups)) {
						wal.append(group);
						model.apply(group);
					}
					wal.close();
					const again = openOn(disk, segmentBytes);
					expect(again.recovered.repaired).toBeNull();
					expect(contentsOf(again.wal, again.recovered)).toBe(
						model.closed().contents(),
					);
				},
			),
			{ numRuns: 200 },
		);
	});

	it("knows the runs of terms and the configurations that are left after suffixes were replaced", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk);
		wal.append([
			batchOf(1, [
				configuration(1, 1),
				entry(2, 1),
				configuration(3, 2),
				entry(4, 2),
			]),
			batchOf(2, [entry(3, 3), entry(4, 3)]),
			batchOf(3, [configuration(5, 5)]),
		]);
		const { recovered } = openOn(disk);
		expect(recovered.terms).toEqual([
			{ term: 1, first: 1 },
			{ term: 3, first: 3 },
			{ term: 5, first: 5 },
		]);
		expect(recovered.configurations.map(({ index }) => index)).toEqual([1, 5]);
		expect(
			Buffer.from(recovered.configurations[1]?.data ?? []).toString(),
		).toBe("configuration 5");
	});

	it("writes one record and syncs once for a whole group, and not at all for a commit hint", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk);
		const before = disk.operations;
		wal.append([1, 2, 3].map((index) => batchOf(index, [entry(index, 1)])));
		expect(disk.operations - before).toBe(2);
		expect(wal.stats().syncs).toBe(1);
		wal.append([batchOf(4, [], { term: 1, votedFor: null, commit: 2 }, false)]);
		expect(disk.operations - before).toBe(2);
		wal.close();
		expect(openOn(disk).recovered.hardState.commit).toBe(2);
	});

	it("cuts to the next segment without filling it when that was prepared in time", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk);
		const costs: number[] = [];
		for (let index = 1; wal.stats().segments < 4; index += 1) {
			const before = disk.operations;
			wal.append([batchOf(index, [entry(index, 1, "x".repeat(700))])]);
			costs.push(disk.operations - before);
			while (wal.prepare(1024));
		}
		// Header, its sync, rename, directory, seal, its sync; then the record and its sync.
		expect(new Set(costs)).toEqual(new Set([2, 8]));
	});

	it("begins each segment with the hard state, so that those before it can be dropped", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk);
		wal.append([batchOf(1, [], { term: 4, votedFor: "n3", commit: 0 })]);
		for (let index = 1; wal.stats().segments < 3; index += 1)
			wal.append([batchOf(index + 1, [entry(index, 4, "x".repeat(700))])]);
		for (const ordinal of [2, 3]) {
			const bytes = disk.bytes(`${place.directory}/000000000${ordinal}.wal`);
			const seed = seedOf(decodeSegmentHeader(bytes)?.header.id as Buffer);
			const state = readRecord(bytes, dataStart, seed)?.items.at(-1);
			expect(state?.kind).toBe(ItemKind.hardState);
		}
	});

	it("is known to have been begun once it is open, whatever happens next", () => {
		for (let seed = 1; seed <= 20; seed += 1) {
			const disk = new FakeDisk(seed);
			openOn(disk);
			disk.crash();
			expect(disk.list(place.directory).sort()).toEqual([
				"0000000001.wal",
				"log.json",
			]);
		}
	});

	it("takes a record larger than a segment", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk);
		const large = batchOf(1, [entry(1, 1), entry(2, 1, "x".repeat(100_000))]);
		wal.append([large]);
		wal.append([batchOf(2, [entry(3, 1)])]);
		const { wal: again, recovered } = openOn(disk);
		expect(contentsOf(again, recovered)).toBe(
			new Model()
				.apply([large])
				.apply([batchOf(2, [entry(3, 1)])])
				.contents(),
		);
	});

	it("refuses a gap, a block that is not what its batch says, and the replacement of a committed entry", () => {
		const wrong = [
			batchOf(2, [entry(3, 1)]),
			{ ...batchOf(2, [entry(2, 1)]), lastIndex: 3 },
			{ ...batchOf(2, [entry(2, 1)]), firstIndex: 1 },
			batchOf(2, [entry(1, 2)]),
			batchOf(2, [entry(2, 1)], { term: 1, votedFor: null, commit: 3 }),
		];
		for (const batch of wrong) {
			const { wal } = openOn(new FakeDisk(1));
			wal.append([
				batchOf(1, [entry(1, 1)], { term: 1, votedFor: null, commit: 1 }),
			]);
			expect(() => wal.append([batch])).toThrow(RangeError);
		}
	});

	it("refuses a log of another node, of another cluster, and of a later format", () => {
		const disk = new FakeDisk(1);
		openOn(disk).wal.close();
		for (const other of [{ nodeId: "n2" }, { clusterId: "other" }]) {
			const opening = () => openWal({ disk, ...place, ...other });
			expect(opening).toThrow(OperatorError);
			expect(opening).toThrow("belongs to another node or another cluster");
		}
	});
});

describe("reading", () => {
	const disk = new FakeDisk(1);
	const { wal } = openOn(disk);
	const entries = Array.from({ length: 40 }, (_, at) =>
		entry(at + 1, 1, "x".repeat(at * 10)),
	);
	for (let at = 0; at < 40; at += 5)
		wal.append([batchOf(at + 1, entries.slice(at, at + 5))]);

	it("returns what was asked for, at most to the last index and about the bytes, at least one entry", () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 40 }),
				fc.integer({ min: 0, max: 60 }),
				fc.integer({ min: 1, max: 4000 }),
				(first, more, maxBytes) => {
					const block = wal.readBlock(first, first + more, maxBytes);
					const found = decodeBlock(block);
					const count = found.length;
					expect(found.map(({ index }) => index)).toEqual(
						entries
							.slice(first - 1, first - 1 + count)
							.map(({ index }) => index),
					);
					expect(count).toBeGreaterThan(0);
					expect(count).toBeLessThanOrEqual(more + 1);
					if (count > 1) expect(block.length).toBeLessThanOrEqual(maxBytes);
					const following = entries[first - 1 + count];
					const wanted = Math.min(first + more, 40);
					if (following !== undefined && first - 1 + count < wanted)
						expect(block.length + 18 + following.data.length).toBeGreaterThan(
							maxBytes,
						);
				},
			),
		);
	});

	it("refuses an index that the log does not have", () => {
		expect(() => wal.readBlock(41, 50, 1000)).toThrow(RangeError);
		expect(() => wal.readBlock(0, 1, 1000)).toThrow(RangeError);
	});

	it("names the file and the offset when the disk gives back other bytes", () => {
		const rotten = disk.copy(2);
		const { wal: log } = openOn(rotten);
		const path = `${place.directory}/0000000001.wal`;
		rotten.flip(path, rotten.bytes(path).indexOf("xxxx"), 3);
		expect(() => log.readBlock(1, 40, 1e6)).toThrow(OperatorError);
	});
});

function configuration(index: number, term: number): Entry {
	const kind = EntryKind.configuration;
	return {
		index,
		term,
		kind,
		level: 1,
		data: Buffer.from(`configuration ${index}`),
	};
}
