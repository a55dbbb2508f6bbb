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
import { holds, Model, openOn, place, randomLife } from "./history.js";

interface Recorded {
	readonly disk: FakeDisk;
	/** The ordinals of its two segments. */
	readonly ordinals: readonly [number, number];
	readonly whole: Model;
	readonly beforeLast: Model;
	/** Where the last record begins. */
	readonly lastAt: number;
}

/**
 * A recorded log of two segments, the second one open. It was compacted: the segments before are gone. It was reset, by
 * a record that is still there. Groups were written and synced one by one, so that every record but the last has one
 * behind it; whether the last is known to be durable is `floorKnown`.
 */
function recorded(floorKnown: boolean): Recorded {
	for (let seed = 1; ; seed += 1) {
		const found = live(seed);
		if (found === null) continue;
		if (floorKnown) found.wal.markFloor();
		const { disk, ordinals } = found;
		const lastAt = readRecords(disk, segmentPath(ordinals[1])).at(-1)?.at ?? 0;
		return { ...found, disk: disk.copy(1), lastAt };
	}
}

/** A life up to the moment when it has left what `recorded` wants; null when that never comes. */
function live(seed: number) {
	const disk = new FakeDisk(7);
	const { wal } = openOn(disk, 20 * 1024);
	const whole = new Model();
	for (const step of randomLife(seed, 100)) {
		if ("compact" in step) {
			whole.compact(step.compact);
			wal.compact(step.compact);
			while (wal.removeSome());
			continue;
		}
		const beforeLast = whole.copy();
		const { syncs } = wal.stats();
		wal.append(step);
		whole.apply(step);
		const { segments } = wal.stats();
		if (segments !== 2 || wal.stats().syncs === syncs) continue;
		const ordinals = ordinalsOf(disk);
		const records = ordinals.map((ordinal) =>
			readRecords(disk, segmentPath(ordinal)),
		);
		const isReset = records.flat().some(({ kinds }) => kinds.includes(4));
		if (ordinals[0] > 1 && isReset && (records[1]?.length ?? 0) >= 3)
			return { disk, wal, whole, beforeLast, ordinals };
	}
	return null;
}

function ordinalsOf(disk: FakeDisk): [number, number] {
	const ordinals = disk
		.list(place.directory)
		.filter((name) => name.endsWith(".wal"))
		.map((name) => Number.parseInt(name, 10))
		.sort((a, b) => a - b);
	return [ordinals[0] ?? 0, ordinals[1] ?? 0];
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
			kinds: record.items.map(({ kind }) => kind),
		});
		at = record.end;
	}
}

interface Span {
	readonly at: number;
	readonly end: number;
	/** Behind the last byte that means something; padding follows. */
	readonly used: number;
	/** Of its items. */
	readonly kinds: readonly number[];
}

type Outcome = "corrupt" | "whole" | "without the last group" | "WRONG";

const closed = recorded(true);
const open = recorded(false);

function outcome(disk: FakeDisk, known: Recorded): Outcome {
	const { whole, beforeLast, lastAt } = known;
	const path = segmentPath(known.ordinals[1]);
	const hasSecond = disk
		.list(place.directory)
		.some((name) => path.endsWith(name));
	const end = endOfBytes(hasSecond ? disk.bytes(path) : null);
	const before = disk.list(place.directory);
	try {
		const opened = openOn(disk);
		if (holds(whole, opened)) return "whole";
		if (!holds(beforeLast, opened)) return "WRONG";
		// What left a trace is reported; a sector that reads as if it had never been written leaves none.
		expect(opened.recovered.repaired !== null).toBe(end >= lastAt);
		return "without the last group";
	} catch (error) {
		expect(error).toBeInstanceOf(OperatorError);
		expect((error as OperatorError).message).toMatch(
			/0000000\d\d\d\.wal at offset \d+(, after index \d+)?$/,
		);
		expect((error as OperatorError).next).toContain(
			"go on without it. raftctl doctor",
		);
		expect(disk.list(place.directory)).toEqual(before);
		return "corrupt";
	}
}

/** Everything in the file that means something, by what must happen when it is damaged. */
function regions(
	{ disk, ordinals }: Recorded,
	ordinal: number,
	floorKnown: boolean,
) {
	const records = readRecords(disk, segmentPath(ordinal));
	const last = records.at(-1);
	return (offset: number): Outcome => {
		if (offset < 92) return "corrupt";
		const record = records.find(
			({ at, used }) => offset >= at && offset < used,
		);
		if (record === undefined) return "whole";
		const mayBeTorn = ordinal === ordinals[1] && record === last && !floorKnown;
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
	const known = floorKnown ? closed : open;
	const { disk, ordinals } = known;
	const state = floorKnown
		? "noted as durable to its end"
		: "just after an fsync";

	describe(`a log ${state}, damaged at every offset`, () => {
		for (const ordinal of ordinals) {
			const path = segmentPath(ordinal);
			const expected = regions(known, ordinal, floorKnown);

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
			const path = segmentPath(ordinals[1]);
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
			const path = segmentPath(ordinals[1]);
			const [before, last] = readRecords(disk, path).slice(-2) as [Span, Span];
			const damaged = disk.copy(1);
			const bytes = Buffer.from(damaged.bytes(path));
			bytes.writeUInt8((bytes[before.used - 1] as number) ^ 1, before.used - 1);
			bytes.writeUInt8((bytes[last.at] as number) ^ 1, last.at);
			damaged.overwrite(path, bytes);
			expect(outcome(damaged, known)).toBe("corrupt");
		});

		it("refuses to start when a segment is missing, whichever it is", () => {
			for (const ordinal of ordinals) {
				const damaged = disk.copy(ordinal);
				damaged.remove(segmentPath(ordinal));
				expect(outcome(damaged, known)).toBe("corrupt");
			}
			const empty = disk.copy(3);
			empty.remove(segmentPath(ordinals[0]));
			empty.remove(segmentPath(ordinals[1]));
			expect(outcome(empty, known)).toBe("corrupt");
		});
	});
}
