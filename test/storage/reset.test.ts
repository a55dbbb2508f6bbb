import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { EntryKind, type HardState } from "../../src/raft/types.js";
import { groupOf, hardStateItem } from "../../src/storage/group.js";
import { decodeReset, encodeReset } from "../../src/storage/record.js";
import { RecordLog } from "../../src/storage/record-log.js";
import { recover } from "../../src/storage/recovery.js";
import type { Wal } from "../../src/storage/wal.js";
import { DiskCrash, FakeDisk } from "../fakes/fake-disk.js";
import {
	batchOf,
	contentsOf,
	entry,
	holds,
	Model,
	openOn,
	place,
	readAll,
	resetOf,
	smallSegment,
} from "./history.js";

const founded = batchOf(
	1,
	[
		{ ...entry(1, 1), kind: EntryKind.configuration },
		entry(2, 1),
		entry(3, 2),
		entry(4, 2),
	],
	state(2, 2),
);

function state(term: number, commit: number): HardState {
	return { term, votedFor: null, commit };
}

function begun(seed = 1): { disk: FakeDisk; wal: Wal } {
	const disk = new FakeDisk(seed);
	const { wal } = openOn(disk);
	wal.append([founded]);
	return { disk, wal };
}

describe("a reset", () => {
	it("empties the log, which begins anew behind it, now and after a restart", () => {
		const { disk, wal } = begun();
		wal.append([resetOf(2, { index: 100, term: 5 })]);
		expect(wal.stats().firstIndex).toBe(101);
		for (const index of [1, 4, 100])
			expect(() => wal.readBlock(index, 100, 1e6)).toThrow(RangeError);
		const { recovered } = openOn(disk);
		expect(recovered).toMatchObject({
			...{ firstIndex: 101, lastIndex: 100, resetTerm: 5 },
			...{ terms: [], configurations: [], hardState: state(2, 2) },
		});
	});

	it("takes the entries that come with it, and those that come later", () => {
		const { disk, wal } = begun();
		wal.append([
			resetOf(
				2,
				{ index: 100, term: 5 },
				[entry(101, 5), entry(102, 6)],
				state(6, 100),
			),
		]);
		wal.append([batchOf(3, [entry(102, 7), entry(103, 7)])]);
		const { wal: again, recovered } = openOn(disk);
		expect(recovered).toMatchObject({
			...{ firstIndex: 101, lastIndex: 103, resetTerm: 0 },
			terms: [
				{ term: 5, first: 101 },
				{ term: 7, first: 102 },
			],
			hardState: state(6, 100),
		});
		expect(readAll(again, 103, 101).map(({ term }) => term)).toEqual([5, 7, 7]);
	});

	it("may drop entries that are not committed, and go back to the commit index", () => {
		const { disk, wal } = begun();
		wal.append([resetOf(2, { index: 2, term: 1 })]);
		wal.append([batchOf(3, [entry(3, 3)])]);
		expect(openOn(disk).recovered).toMatchObject({
			...{ firstIndex: 3, lastIndex: 3, terms: [{ term: 3, first: 3 }] },
		});
	});

	it("is written without the entries that came before it in its group, and needs a sync", () => {
		const { items, sync, reset } = groupOf(
			[
				batchOf(1, [entry(5, 2)]),
				{ ...resetOf(2, { index: 100, term: 5 }), sync: false },
				batchOf(3, [entry(101, 5)]),
			],
			null,
		);
		expect(sync).toBe(true);
		expect(reset).toEqual({ index: 100, term: 5 });
		expect(items.map(({ first, last }) => [first, last])).toEqual([
			[0, 0],
			[101, 101],
		]);
		const alone = { ...resetOf(1, { index: 100, term: 5 }), sync: false };
		expect(groupOf([alone], null).sync).toBe(true);
	});

	it("carries any index and term", () => {
		for (const value of [1, 2 ** 40, 2 ** 48 - 1]) {
			const reset = { index: value, term: value };
			expect(decodeReset(Buffer.from(encodeReset(reset)))).toEqual(reset);
		}
		expect(() => decodeReset(Buffer.alloc(11))).toThrow(RangeError);
	});

	it("stays with an empty log, however many votes come after it and whatever is compacted", () => {
		const { disk, wal } = begun();
		wal.append([resetOf(2, { index: 100, term: 5 })]);
		for (let term = 6; wal.stats().segments < 4; term += 1)
			wal.append([batchOf(term, [], state(term, 100))]);
		wal.compact(100);
		while (wal.removeSome());
		expect(openOn(disk).recovered).toMatchObject({
			...{ firstIndex: 101, lastIndex: 100, resetTerm: 5 },
		});
		wal.append([batchOf(99, [entry(101, 50)])]);
		wal.compact(100);
		while (wal.removeSome());
		expect(wal.stats().segments).toBe(1);
		expect(openOn(disk).recovered).toMatchObject({
			...{ firstIndex: 101, lastIndex: 101, resetTerm: 0 },
		});
	});

	it("lets compaction remove all segments before it", () => {
		const { disk, wal } = begun();
		for (let index = 5; wal.stats().segments < 4; index += 1)
			wal.append([batchOf(index, [entry(index, 2, "x".repeat(700))])]);
		wal.append([resetOf(2, { index: 100, term: 5 })]);
		wal.compact(100);
		while (wal.removeSome());
		expect(disk.list(place.directory).sort()).toEqual([
			"0000000004.wal",
			"log.json",
		]);
		expect(openOn(disk).recovered).toMatchObject({
			...{ firstIndex: 101, lastIndex: 100, resetTerm: 5 },
		});
	});

	it("is refused behind the commit index, and so is what it does not explain", () => {
		const reset = { index: 100, term: 5 };
		const wrong = [
			[resetOf(2, { index: 1, term: 1 })],
			[resetOf(2, { index: 0, term: 0 })],
			[batchOf(2, [], state(2, 4)), resetOf(3, { index: 3, term: 2 })],
			[resetOf(2, reset, [entry(102, 5)])],
			[resetOf(2, reset, [entry(100, 5)])],
			[resetOf(2, reset, [], state(5, 101))],
			[resetOf(2, reset), resetOf(3, { index: 99, term: 5 })],
			[resetOf(2, reset), batchOf(3, [entry(5, 6)])],
		];
		for (const batches of wrong) {
			const { wal } = begun();
			expect(() => wal.append(batches)).toThrow(RangeError);
			const { wal: other } = begun();
			expect(() => {
				for (const batch of batches) other.append([batch]);
			}).toThrow(RangeError);
		}
	});

	it("is refused behind a commit index that was only hinted at", () => {
		const { wal } = begun();
		wal.append([{ ...batchOf(2, [], state(2, 4)), sync: false }]);
		expect(() => wal.append([resetOf(3, { index: 3, term: 2 })])).toThrow(
			"would undo what is committed up to 4",
		);
	});

	it("is kept after a restart, when an entry in its place is still refused", () => {
		const { disk, wal } = begun();
		wal.append([resetOf(2, { index: 100, term: 5 }, [entry(101, 5)])]);
		const { wal: again } = openOn(disk);
		expect(() => again.append([batchOf(3, [entry(100, 6)])])).toThrow(
			"a snapshot stands for",
		);
	});

	it("happened or did not, wherever a crash fell, with what came with it", () => {
		const before = new Model().apply([founded]);
		const group = [
			batchOf(2, [entry(5, 2)]),
			resetOf(
				3,
				{ index: 100, term: 5 },
				[entry(101, 5, "x".repeat(600))],
				state(5, 100),
			),
		];
		const after = before.copy().apply(group);
		const seen = new Set<Model>();
		for (let seed = 1; seed <= 40; seed += 1)
			for (let at = 1; at <= 2; at += 1) {
				const { disk, wal } = begun(seed);
				disk.crashAfter(at);
				expect(() => wal.append(group)).toThrow(DiskCrash);
				disk.crash();
				const opened = openOn(disk);
				const model = [before, after].find((one) => holds(one, opened));
				expect(model, `seed ${seed}, call ${at}`).toBeDefined();
				seen.add(model as Model);
				const found = contentsOf(opened.wal, opened.recovered);
				disk.crash();
				const again = openOn(disk);
				expect(contentsOf(again.wal, again.recovered)).toBe(found);
			}
		expect(seen.size).toBe(2);
	});
});

describe("a hard state on the disk", () => {
	/** A log that a program wrote wrong: its records are whole, and make no sense. */
	function written(commit: number): FakeDisk {
		const { disk } = begun();
		const options = { disk, ...place, segmentBytes: smallSegment };
		const records = new RecordLog(options, recover(options));
		records.append([hardStateItem(state(2, commit))]);
		return disk;
	}

	it("that commits what is not there is corruption", () => {
		expect(openOn(written(4)).recovered.hardState.commit).toBe(4);
		const opening = () => openOn(written(5));
		expect(opening).toThrow(OperatorError);
		expect(opening).toThrow("a record makes no sense");
	});

	it("may be behind a reset", () => {
		const { disk, wal } = begun();
		wal.append([resetOf(2, { index: 100, term: 5 }, [], state(5, 2))]);
		expect(openOn(disk).recovered).toMatchObject({
			...{ hardState: state(5, 2), lastIndex: 100 },
		});
	});
});
