import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import type { HardState } from "../../src/raft/types.js";
import { groupOf } from "../../src/storage/group.js";
import { ItemKind, readRecord } from "../../src/storage/record.js";
import { RecordLog } from "../../src/storage/record-log.js";
import { recover } from "../../src/storage/recovery.js";
import {
	dataStart,
	decodeSegmentHeader,
	seedOf,
} from "../../src/storage/segment.js";
import type { Wal } from "../../src/storage/wal.js";
import { DiskCrash, FakeDisk } from "../fakes/fake-disk.js";
import {
	batchOf,
	readAll as entriesOf,
	entry,
	openOn,
	place,
	smallSegment,
} from "./history.js";

const voted: HardState = { term: 7, votedFor: "n3", commit: 0 };

function path(name: string | number): string {
	const file =
		typeof name === "string" ? name : `${String(name).padStart(10, "0")}.wal`;
	return `${place.directory}/${file}`;
}

function names(disk: FakeDisk): string[] {
	return disk.list(place.directory).sort();
}

/** Entries of a few to a segment, until the log has that many segments; the hard state comes first. */
function fill(wal: Wal, segments: number, from = 1, term = 7): number {
	let index = from;
	for (; wal.stats().segments < segments; index += 1)
		wal.append([batchOf(index, [entry(index, term, "x".repeat(700))])]);
	return index - 1;
}

/** A log of five segments, its hard state written before all else. */
function filled(seed = 1): { disk: FakeDisk; wal: Wal; last: number } {
	const disk = new FakeDisk(seed);
	const { wal } = openOn(disk);
	wal.append([batchOf(0, [], voted)]);
	return { disk, wal, last: fill(wal, 5) };
}

function removeAll(wal: Wal): void {
	while (wal.removeSome());
}

describe("compaction", () => {
	it("removes the segments whose entries are all at or below the index, and no other", () => {
		const { wal: probe, last } = filled();
		const firsts = new Set<number>();
		for (let index = 0; index <= last + 3; index += 1) {
			const { disk, wal } = filled();
			const held = wal.stats().bytesHeld;
			wal.compact(index);
			removeAll(wal);
			const { firstIndex, segments, bytesHeld } = wal.stats();
			firsts.add(firstIndex);
			expect(firstIndex).toBeLessThanOrEqual(Math.min(index, last) + 1);
			expect(names(disk).filter((name) => name.endsWith(".wal"))).toHaveLength(
				segments,
			);
			expect(held - bytesHeld).toBe((5 - segments) * 16 * 1024);
			expect(entriesOf(wal, last, firstIndex)).toEqual(
				entriesOf(probe, last, firstIndex),
			);
			wal.close();
			const { recovered } = openOn(disk);
			expect(recovered).toMatchObject({
				...{ firstIndex, lastIndex: last, hardState: voted, resetTerm: 0 },
				terms: [{ term: 7, first: firstIndex }],
			});
		}
		expect(firsts.size).toBe(5);
	});

	it("is no mistake for an index that is gone, or for an empty log", () => {
		const { disk, wal, last } = filled();
		wal.compact(last);
		const { operations } = disk;
		wal.compact(last);
		wal.compact(1);
		expect(disk.operations).toBe(operations);
		const empty = openOn(new FakeDisk(1));
		empty.wal.compact(10);
		expect(empty.wal.stats()).toMatchObject({ firstIndex: 1, segments: 1 });
	});

	it("makes reads below the first entry fail with a sentence that says so", () => {
		const { wal, last } = filled();
		wal.compact(last);
		const { firstIndex } = wal.stats();
		const reading = () => wal.readBlock(firstIndex - 1, last, 1e6);
		expect(reading).toThrow(RangeError);
		expect(reading).toThrow(
			`no entry ${firstIndex - 1} any more: it begins with ${firstIndex}`,
		);
		// What was written since is read from segments whose places have moved.
		wal.append([batchOf(99, [entry(last + 1, 7, "new")])]);
		expect(
			entriesOf(wal, last + 1, firstIndex).map(({ index }) => index),
		).toHaveLength(last + 2 - firstIndex);
	});

	it("refuses an entry in the place of one that a snapshot stands for", () => {
		const { wal } = filled();
		wal.compact(2);
		expect(() => wal.append([batchOf(99, [entry(2, 8)])])).toThrow(
			"entry 2 would replace one that a snapshot stands for: it goes up to 2",
		);
	});

	it("forgets runs that were replaced, wherever they lie", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk);
		const last = fill(wal, 3);
		// All entries of the third segment are replaced from within the second.
		wal.append([batchOf(99, [entry(last - 3, 8)])]);
		const end = fill(wal, 5, last - 2, 8);
		wal.compact(last - 4);
		removeAll(wal);
		wal.close();
		const { wal: again, recovered } = openOn(disk);
		expect(recovered.firstIndex).toBeLessThanOrEqual(last - 3);
		expect(entriesOf(again, end, last - 3)[0]?.term).toBe(8);
	});

	it("frees a large file in slices, and recovery removes what a crash leaves of it", () => {
		const segmentBytes = 9 * 1024 * 1024;
		for (let steps = 0; steps <= 3; steps += 1) {
			const disk = new FakeDisk(steps);
			const { wal } = openOn(disk, segmentBytes);
			const large = (index: number) =>
				wal.append([
					batchOf(index, [entry(index, 1, "x".repeat(5 * 1024 * 1024))]),
				]);
			for (const index of [1, 2, 3]) large(index);
			wal.compact(2);
			expect(wal.stats()).toMatchObject({ segments: 1, firstIndex: 3 });
			for (let step = 0; step < steps; step += 1)
				expect(wal.removeSome()).toBe(true);
			const { bytesHeld } = wal.stats();
			const slices = Math.min(steps, 2) * 4 + (steps > 2 ? 1 : 0);
			expect(bytesHeld).toBe(3 * segmentBytes - slices * 1024 * 1024);
			disk.crash();
			const { recovered } = openOn(disk, segmentBytes);
			expect(recovered).toMatchObject({ firstIndex: 3, lastIndex: 3 });
			expect(names(disk)).toEqual(["0000000003.wal", "log.json"]);
		}
	});

	it("loses nothing wherever a crash falls, and the next start leaves no file behind (P17)", () => {
		const { wal: probe, last } = filled();
		const expected = entriesOf(probe, last);
		for (let at = 1, crashed = true; crashed; at += 1) {
			const { disk, wal } = filled(at);
			crashed = false;
			disk.crashAfter(at);
			try {
				wal.compact(last - 1);
				removeAll(wal);
			} catch (error) {
				expect(error).toBeInstanceOf(DiskCrash);
				crashed = true;
			}
			disk.crash();
			const { wal: again, recovered } = openOn(disk);
			const { firstIndex } = recovered;
			expect(recovered).toMatchObject({ lastIndex: last, hardState: voted });
			expect(firstIndex).toBeLessThanOrEqual(last);
			expect(entriesOf(again, last, firstIndex)).toEqual(
				expected.slice(firstIndex - 1),
			);
			expect(names(disk)).toHaveLength(again.stats().segments + 1);
		}
	});

	it("removes nothing at a start before it is durable where the log begins", () => {
		for (let seed = 1; seed <= 60; seed += 1) {
			const { disk, wal, last } = filled(seed);
			// File, its content, its sync, its name: killed before that name was synced.
			disk.crashAfter(5);
			expect(() => wal.compact(last)).toThrow(DiskCrash);
			disk.restart();
			disk.crashAfter(2 + (seed % 5));
			expect(() => openOn(disk)).toThrow(DiskCrash);
			disk.crash();
			const { recovered } = openOn(disk);
			expect(recovered, `seed ${seed}`).toMatchObject({ lastIndex: last });
		}
	});

	it("keeps the hard state when a crash fell between a segment's naming and its first record", () => {
		let fresh = 0;
		for (let seed = 1; seed <= 20; seed += 1) {
			const { disk, wal, last } = filled(seed);
			// The next segment is ready, and the last one full: the seal is written and synced, then comes the record.
			while (wal.prepare(4096));
			let index = last + 1;
			for (; recordsOf(disk, 5).length < 3; index += 1)
				wal.append([batchOf(index, [entry(index, 7, "x".repeat(700))])]);
			disk.crashAfter(7);
			const next = batchOf(index, [entry(index, 7, "x".repeat(700))]);
			expect(() => wal.append([next])).toThrow(DiskCrash);
			disk.crash();
			const { wal: again, recovered } = openOn(disk);
			expect(names(disk)).toContain("0000000006.wal");
			if (recordsOf(disk, 6).length === 0) fresh += 1;
			const end = fill(again, 8, recovered.lastIndex + 1);
			expect(recordsOf(disk, 6)[0]).toContain(ItemKind.hardState);
			again.compact(end);
			removeAll(again);
			expect(names(disk)).toEqual(["0000000008.wal", "log.json"]);
			expect(openOn(disk).recovered).toMatchObject({
				...{ hardState: voted, lastIndex: end },
			});
		}
		expect(fresh).toBeGreaterThan(0);
	});

	it("never removes the newest hard state, even where a segment does not begin with it", () => {
		// As an earlier release went on after a crash between a segment's naming and its first record.
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk);
		wal.append([batchOf(1, [entry(1, 7)], voted)]);
		const options = { disk, ...place, segmentBytes: smallSegment };
		const records = new RecordLog(options, recover(options));
		for (const index of [2, 3]) {
			const { items } = groupOf([batchOf(index, [entry(index, 7)])], null);
			records.cut(items, index);
			records.append(items);
		}
		const { wal: again } = openOn(disk);
		again.compact(3);
		removeAll(again);
		expect(openOn(disk).recovered).toMatchObject({
			...{ hardState: voted, firstIndex: 1, lastIndex: 3 },
		});
		again.append([batchOf(4, [], voted)]);
		again.compact(3);
		removeAll(again);
		expect(openOn(disk).recovered).toMatchObject({
			...{ hardState: voted, firstIndex: 3, lastIndex: 3 },
		});
	});
});

describe("a compacted log that is damaged", () => {
	function compacted(): FakeDisk {
		const { disk, wal, last } = filled();
		wal.compact(last - 4);
		removeAll(wal);
		expect(wal.stats().firstIndex).toBeGreaterThan(1);
		wal.close();
		return disk;
	}

	it("does not start when any segment is missing, the first one included", () => {
		const whole = filled();
		whole.wal.close();
		for (const disk of [compacted(), whole.disk]) {
			const files = names(disk).filter((name) => name.endsWith(".wal"));
			expect(files.length).toBeGreaterThan(1);
			for (const name of files) {
				const damaged = disk.copy(1);
				damaged.remove(path(name));
				expect(() => openOn(damaged)).toThrow(`${name} is missing`);
			}
		}
	});

	it("does not start without log.json, which says where it begins", () => {
		const disk = compacted();
		disk.remove(path("log.json"));
		expect(() => openOn(disk)).toThrow("0000000001.wal is missing");
	});

	it("does not take another segment for its first one", () => {
		const disk = compacted();
		const [first = "", second = ""] = names(disk);
		const marker = JSON.parse(disk.bytes(path("log.json")).toString());
		expect(marker.first.ordinal).toBe(Number.parseInt(first, 10));
		marker.first.ordinal = Number.parseInt(second, 10);
		disk.overwrite(path("log.json"), Buffer.from(JSON.stringify(marker)));
		expect(() => openOn(disk)).toThrow("not the one that log.json names");
		expect(names(disk)).toContain(first);
	});

	it("starts whole or not at all, and removes nothing, whatever happened to log.json", () => {
		const disk = compacted();
		const before = names(disk);
		const { recovered } = openOn(disk.copy(1));
		const { length } = disk.bytes(path("log.json"));
		const refused = new Set<number>();
		for (let offset = 0; offset < length; offset += 1)
			for (let bit = 0; bit <= 8; bit += 1) {
				const damaged = disk.copy(offset);
				if (bit < 8) damaged.flip(path("log.json"), offset, bit);
				else
					damaged.overwrite(
						path("log.json"),
						damaged.bytes(path("log.json")).subarray(0, offset),
					);
				try {
					expect(openOn(damaged).recovered).toEqual(recovered);
				} catch (error) {
					expect(error).toBeInstanceOf(OperatorError);
					refused.add(offset);
				}
				expect(names(damaged)).toEqual(before);
			}
		expect(refused.size).toBe(length);
	});

	it("opens when log.json is that of a log which was never compacted", () => {
		const { disk, wal, last } = filled();
		wal.close();
		expect(disk.bytes(path("log.json")).toString()).toBe(
			'{"format":1,"cluster":"cluster","node":"n1"}\n',
		);
		expect(openOn(disk).recovered).toMatchObject({
			...{ firstIndex: 1, lastIndex: last },
		});
	});
});

describe("compaction on a full disk", () => {
	it("keeps everything when there is no room to note it, and works once there is", () => {
		const { disk, wal, last } = filled();
		const files = names(disk);
		const free = 64;
		disk.capacityBytes =
			files.reduce((sum, name) => sum + disk.bytes(path(name)).length, 0) +
			free;
		wal.compact(last);
		removeAll(wal);
		expect(names(disk)).toEqual(files);
		expect(wal.stats()).toMatchObject({ firstIndex: 1, segments: 5 });
		wal.append([batchOf(99, [entry(last + 1, 7)])]);
		expect(entriesOf(wal, last + 1)).toHaveLength(last + 1);
		disk.capacityBytes += 1024;
		wal.compact(last);
		removeAll(wal);
		expect(wal.stats().segments).toBe(1);
		// The room that was freed is used for the next segment.
		expect(fill(wal, 3, last + 2)).toBeGreaterThan(last + 2);
	});

	it("gives the next segment room that there was none for before", () => {
		const { disk, wal, last } = filled();
		disk.capacityBytes = 5 * 16 * 1024 + 2048;
		expect(wal.prepare(4096)).toBe(false);
		const index = last + 1;
		wal.append([batchOf(index, [entry(index, 7, "x".repeat(700))])]);
		expect(wal.prepare(4096)).toBe(false);
		wal.compact(last);
		removeAll(wal);
		expect(wal.prepare(4096)).toBe(true);
	});

	it("ends the log when the disk fails while it is noted", () => {
		const { disk, wal, last } = filled();
		disk.failSyncs(1);
		expect(() => wal.compact(last)).toThrow("EIO");
		expect(() => wal.append([batchOf(99, [entry(last + 1, 7)])])).toThrow(
			"EIO",
		);
		disk.crash();
		expect(openOn(disk).recovered).toMatchObject({
			...{ firstIndex: 1, lastIndex: last },
		});
	});
});

/** The kinds of the items of each record of a segment; empty when it holds none, or is not there. */
function recordsOf(disk: FakeDisk, ordinal: number): number[][] {
	if (!names(disk).includes(path(ordinal).split("/").at(-1) as string))
		return [];
	const bytes = disk.bytes(path(ordinal));
	const seed = seedOf(decodeSegmentHeader(bytes)?.header.id as Buffer);
	const records: number[][] = [];
	for (let at = dataStart; ; ) {
		const record = readRecord(bytes, at, seed);
		if (record === null) return records;
		records.push(record.items.map(({ kind }) => kind));
		at = record.end;
	}
}
