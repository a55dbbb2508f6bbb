import { describe, expect, it } from "vitest";
import { decodeBlock } from "../../src/raft/codec.js";
import type { Wal } from "../../src/storage/wal.js";
import { FakeDisk } from "../fakes/fake-disk.js";
import { batchOf, entry, openOn, resetOf } from "./history.js";

const perBlock = 50;
const blocks = 3;

/** Three stored blocks of fifty entries each, in one segment. */
function stored(): { disk: FakeDisk; wal: Wal } {
	const disk = new FakeDisk(1);
	const { wal } = openOn(disk, 1024 * 1024);
	for (let block = 0; block < blocks; block += 1) {
		const entries = Array.from({ length: perBlock }, (_, at) =>
			entry(block * perBlock + at + 1, 1, `${at}`.repeat(40)),
		);
		wal.append([batchOf(block + 1, entries)]);
	}
	disk.reads = 0;
	return { disk, wal };
}

/** A follower that takes a few entries at a time. */
class Reader {
	next = 1;

	constructor(
		readonly wal: Wal,
		readonly maxBytes: number,
	) {}

	read(): void {
		const last = blocks * perBlock;
		if (this.next > last) return;
		const found = decodeBlock(
			this.wal.readBlock(this.next, last, this.maxBytes),
		);
		expect(found[0]?.index).toBe(this.next);
		for (const { index, data } of found)
			expect(Buffer.from(data).toString()).toBe(
				`${(index - 1) % perBlock}`.repeat(40),
			);
		this.next += found.length;
	}
}

describe("reading in order", () => {
	it("reads each stored block from the disk once, however little is taken at a time", () => {
		for (const maxBytes of [1, 300, 1000, 5000]) {
			const { disk, wal } = stored();
			const reader = new Reader(wal, maxBytes);
			while (reader.next <= blocks * perBlock) reader.read();
			// A fetch that ends before the first entry of a block has looked at it, and finds it again.
			expect(disk.reads).toBe(blocks);
		}
	});

	it("does so for two followers in different places, and not for a crowd", () => {
		const { disk, wal } = stored();
		const [one, two] = [new Reader(wal, 300), new Reader(wal, 300)];
		two.next = 2 * perBlock + 1;
		for (let turn = 0; turn < 10; turn += 1) {
			one.read();
			two.read();
		}
		expect(disk.reads).toBe(2);
		const three = new Reader(wal, 300);
		three.next = perBlock + 1;
		for (let turn = 0; turn < 2; turn += 1)
			for (const reader of [one, two, three]) reader.read();
		expect(disk.reads).toBeGreaterThan(3);
	});

	it("goes back as well as on", () => {
		const { wal } = stored();
		for (const first of [40, 7, 8, 1, 150, 51, 40]) {
			const reader = new Reader(wal, 300);
			reader.next = first;
			reader.read();
		}
	});

	it("never gives back what was replaced since, or emptied", () => {
		const { wal } = stored();
		wal.readBlock(101, 150, 300);
		wal.append([batchOf(9, [entry(110, 2, "new")])]);
		const entries = decodeBlock(wal.readBlock(101, 150, 1e6));
		expect(entries.map(({ index }) => index)).toEqual([
			101, 102, 103, 104, 105, 106, 107, 108, 109, 110,
		]);
		expect(entries.at(-1)?.term).toBe(2);
		wal.append([resetOf(10, { index: 110, term: 2 })]);
		expect(() => wal.readBlock(101, 150, 1e6)).toThrow(RangeError);
	});
});
