import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { readRecord } from "../../src/storage/record.js";
import {
	dataStart,
	decodeSegmentHeader,
	floorSlotOffsets,
	seedOf,
} from "../../src/storage/segment.js";
import { FakeDisk, seededRandom } from "../fakes/fake-disk.js";
import { contentsOf, Model, openOn, place, randomHistory } from "./history.js";

/**
 * A recorded log of two segments, the second one open. Groups were written and synced one by one, so that every record
 * but the last has one behind it; whether the last is known to be durable is `floorKnown`.
 */
function recorded(floorKnown: boolean) {
	const disk = new FakeDisk(7);
	const { wal } = openOn(disk, 20 * 1024);
	const model = new Model();
	let beforeLast = "";
	for (const group of randomHistory(3, 40)) {
		const before = model.contents();
		const { syncs } = wal.stats();
		wal.append(group);
		model.apply(group);
		if (wal.stats().syncs > syncs) beforeLast = before;
		if (
			wal.stats().segments === 2 &&
			readRecords(disk, segmentPath(2)).length >= 3
		)
			break;
	}
	if (floorKnown) wal.markFloor();
	expect(wal.stats().segments).toBe(2);
	const lastAt = readRecords(disk, segmentPath(2)).at(-1)?.at ?? 0;
	return { disk: disk.copy(1), contents: model.contents(), beforeLast, lastAt };
}

function endOfBytes(bytes: Buffer | null): number {
	return bytes?.findLastIndex((byte) => byte !== 0) ?? 0;
}

function segmentPath(ordinal: number): string {
	return `${place.directory}/${String(ordinal).padStart(10, "0")}.wal`;
}

function readRecords(disk: FakeDisk, path: string): Span[] {
	const bytes = disk.bytes(path);
	const id = decodeSegmentHeader(bytes)?.header.id as Buffer;
	const records = [];
	for (let at = dataStart; ; ) {
		const record = readRecord(bytes, at, seedOf(id));
		if (record === null) return records;
		const last = record.items.at(-1);
		records.push({
			at,
			end: record.end,
			used: (last?.offset ?? 0) + (last?.bytes ?? 0),
		});
		at = record.end;
	}
}

interface Span {
	readonly at: number;
	readonly end: number;
	/** Behind the last byte that means something; padding follows. */
	readonly used: number;
}

type Outcome = "corrupt" | "whole" | "without the last group" | "WRONG";

const { disk: closedDisk, ...closed } = recorded(true);
const { disk: openDisk, ...open } = recorded(false);

function outcome(
	disk: FakeDisk,
	known: { contents: string; beforeLast: string; lastAt: number },
): Outcome {
	const hasSecond = disk.list(place.directory).includes("0000000002.wal");
	const end = endOfBytes(hasSecond ? disk.bytes(segmentPath(2)) : null);
	try {
		const { wal, recovered } = openOn(disk);
		const found = contentsOf(wal, recovered);
		if (found === known.contents) return "whole";
		if (found !== known.beforeLast) return "WRONG";
		// What left a trace is reported; a sector that reads as if it had never been written leaves none.
		expect(recovered.repaired !== null).toBe(end >= known.lastAt);
		return "without the last group";
	} catch (error) {
		expect(error).toBeInstanceOf(OperatorError);
		expect((error as OperatorError).message).toMatch(
			/0000000\d\d\d\.wal at offset \d+, after index \d+/,
		);
		expect((error as OperatorError).next).toContain(
			"go on without it. Keep the directory",
		);
		return "corrupt";
	}
}

/** Everything in the file that means something, by what must happen when it is damaged. */
function regions(disk: FakeDisk, ordinal: number, floorKnown: boolean) {
	const records = readRecords(disk, segmentPath(ordinal));
	const last = records.at(-1);
	return (offset: number): Outcome => {
		if (offset < 92) return "corrupt";
		const record = records.find(
			({ at, used }) => offset >= at && offset < used,
		);
		if (record === undefined) return "whole";
		const mayBeTorn = ordinal === 2 && record === last && !floorKnown;
		return mayBeTorn ? "without the last group" : "corrupt";
	};
}

/** All offsets but the long stretches that hold nothing, of which some are taken. */
function offsets(disk: FakeDisk, ordinal: number): number[] {
	const records = readRecords(disk, segmentPath(ordinal));
	const end = records.at(-1)?.end ?? dataStart;
	const all = new Set<number>();
	for (let at = 0; at < 160; at += 1) all.add(at);
	for (const slot of floorSlotOffsets)
		for (let at = 0; at < 40; at += 1) all.add(slot + at);
	for (let at = dataStart; at < end + 64; at += 1) all.add(at);
	for (let at = 0; at < disk.bytes(segmentPath(ordinal)).length; at += 509)
		all.add(at);
	return [...all].filter((at) => at < disk.bytes(segmentPath(ordinal)).length);
}

for (const floorKnown of [true, false]) {
	const disk = floorKnown ? closedDisk : openDisk;
	const known = floorKnown ? closed : open;
	const state = floorKnown
		? "noted as durable to its end"
		: "just after an fsync";

	describe(`a log ${state}, damaged at every offset`, () => {
		for (const ordinal of [1, 2]) {
			const path = segmentPath(ordinal);
			const expected = regions(disk, ordinal, floorKnown);

			it(`never loses more than a last group that may be torn when a bit flips in segment ${ordinal}`, () => {
				const random = seededRandom(ordinal);
				const seen = new Set<Outcome>();
				for (const offset of offsets(disk, ordinal)) {
					const damaged = disk.copy(offset);
					damaged.flip(path, offset, Math.floor(random() * 8));
					const found = outcome(damaged, known);
					expect(found, `offset ${offset}`).toBe(expected(offset));
					seen.add(found);
				}
				expect(seen).toContain("corrupt");
				expect(seen).toContain("whole");
			});

			it(`never loses more than a last group that may be torn when a sector of segment ${ordinal} reads as zeros`, () => {
				const size = disk.bytes(path).length;
				for (let start = 0; start < size; start += 512) {
					const damaged = disk.copy(start);
					const bytes = Buffer.from(damaged.bytes(path));
					const changed = [...bytes.subarray(start, start + 512).keys()]
						.map((at) => start + at)
						.filter((at) => bytes[at] !== 0);
					bytes.fill(0, start, start + 512);
					damaged.overwrite(path, bytes);
					const classes = new Set(changed.map(expected));
					const worst = (
						["corrupt", "without the last group", "whole"] as const
					).find((one) => classes.has(one));
					// Without its slot nothing is known of the floor, and nothing else is damaged.
					expect(outcome(damaged, known), `sector at ${start}`).toBe(
						worst ?? "whole",
					);
				}
			});

			it(`refuses to start when segment ${ordinal} is cut short`, () => {
				const size = disk.bytes(path).length;
				for (let offset = 0; offset < size; offset += 61) {
					const damaged = disk.copy(offset);
					damaged.overwrite(path, damaged.bytes(path).subarray(0, offset));
					expect(outcome(damaged, known), `cut at ${offset}`).toBe("corrupt");
				}
			});
		}

		it("reads zeros from an offset to the end as loss where more was known to be durable", () => {
			const path = segmentPath(2);
			const records = readRecords(disk, path);
			const last = records.at(-1) as { at: number; used: number };
			const size = disk.bytes(path).length;
			// Without a floor only the last group's own bytes tell, and they may be torn.
			const from = floorKnown ? dataStart : last.at;
			for (let offset = from; offset < last.used; offset += 1) {
				const damaged = disk.copy(offset);
				const bytes = Buffer.from(damaged.bytes(path));
				if (bytes.subarray(offset, last.used).every((byte) => byte === 0))
					continue;
				bytes.fill(0, offset, size);
				damaged.overwrite(path, bytes);
				expect(outcome(damaged, known), `from ${offset}`).toBe(
					floorKnown ? "corrupt" : "without the last group",
				);
			}
		});

		it("does not take rot for a torn write when there are bytes behind the damaged record", () => {
			const path = segmentPath(2);
			const [before, last] = readRecords(disk, path).slice(-2) as [Span, Span];
			const damaged = disk.copy(1);
			const bytes = Buffer.from(damaged.bytes(path));
			bytes.writeUInt8((bytes[before.used - 1] as number) ^ 1, before.used - 1);
			bytes.writeUInt8((bytes[last.at] as number) ^ 1, last.at);
			damaged.overwrite(path, bytes);
			expect(outcome(damaged, known)).toBe("corrupt");
		});

		it("refuses to start when a segment is missing, whichever it is", () => {
			for (const ordinal of [1, 2]) {
				const damaged = disk.copy(ordinal);
				damaged.remove(segmentPath(ordinal));
				expect(outcome(damaged, known)).toBe("corrupt");
			}
			const empty = disk.copy(3);
			empty.remove(segmentPath(1));
			empty.remove(segmentPath(2));
			expect(outcome(empty, known)).toBe("corrupt");
		});
	});
}
