import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { maxOpenFiles } from "../../../src/storage/snapshots/pins.js";
import { FakeDisk } from "../../fakes/fake-disk.js";
import {
	contentOf,
	descriptionOf,
	openOn,
	pathOf,
	place,
	read,
	write,
} from "./samples.js";

const { directory } = place;

describe("the snapshots of a node", () => {
	it.each([0, 1, 63, 64, 65, 128, 1000])(
		"give a content of %i bytes back, also after a restart",
		(bytes) => {
			const disk = new FakeDisk(1);
			const content = contentOf(bytes);
			const { snapshots } = openOn(disk);
			const manifest = write(snapshots, descriptionOf(7), content);
			expect(manifest).toMatchObject({
				...descriptionOf(7),
				contentBytes: bytes,
			});
			expect(manifest.fileBytes).toBe(disk.bytes(pathOf(manifest)).length);
			for (const { snapshots: again, repaired } of [openOn(disk), openOn(disk)])
				expect([again.list(), repaired]).toEqual([[manifest], []]);
			expect(snapshots.list()).toEqual([manifest]);
			expect(read(openOn(disk).snapshots, 7).equals(content)).toBe(true);
		},
	);

	it("are listed newest first, and of two at one index the later made one is read", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const make = (index: number, createdAtMs: number, bytes: number) =>
			write(snapshots, descriptionOf(index, { createdAtMs }), contentOf(bytes));
		const a = make(9, 2, 10);
		const b = make(5, 2, 20);
		const c = make(9, 3, 30);
		const d = make(12, 2, 40);
		expect(snapshots.list()).toEqual([d, c, a, b]);
		expect(openOn(disk).snapshots.list()).toEqual([d, c, a, b]);
		expect(read(snapshots, 9)).toHaveLength(30);
		expect(snapshots.open(9)?.manifest).toEqual(c);
	});

	it("of which one is damaged leave it out once that is known, so that the next best is read", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const older = write(snapshots, descriptionOf(5), contentOf(300));
		const twin = write(
			snapshots,
			descriptionOf(9, { createdAtMs: 2 }),
			contentOf(301),
		);
		const newest = write(
			snapshots,
			descriptionOf(9, { createdAtMs: 3 }),
			contentOf(302),
		);
		disk.flip(pathOf(newest), newest.fileBytes - 100, 3);
		disk.flip(pathOf(twin), twin.fileBytes - 100, 3);
		for (const next of [twin, older]) {
			expect(() => read(snapshots, 9)).toThrow(/chunk 4 is damaged, in \/data/);
			expect(snapshots.list()[0]).toEqual(next);
		}
		expect(() => read(snapshots, 9)).toThrow("there is no snapshot at 9");
		expect(read(snapshots, 5)).toHaveLength(300);
	});

	it("name file and offset of damage, as an error for people", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const manifest = write(snapshots, descriptionOf(5), contentOf(300));
		const start = manifest.fileBytes - 56 - 300 - 5 * 12;
		disk.flip(pathOf(manifest), start + 76 + 20, 1);
		let failure: unknown;
		try {
			read(snapshots, 5);
		} catch (error) {
			failure = error;
		}
		expect(failure).toBeInstanceOf(OperatorError);
		expect(failure).toMatchObject({
			node: "n1",
			message: `a snapshot cannot be read: chunk 1 is damaged, in ${pathOf(manifest)} at offset ${start + 76}`,
		});
	});

	it("leave out a foreign cluster's, say so, and touch nothing", () => {
		const disk = new FakeDisk(1);
		const foreign = openOn(disk, { clusterId: "other" }).snapshots;
		const manifest = write(
			foreign,
			descriptionOf(5, { clusterId: "other" }),
			contentOf(100),
		);
		const before = Buffer.from(disk.bytes(pathOf(manifest)));
		const { snapshots, repaired } = openOn(disk);
		expect(snapshots.list()).toEqual([]);
		expect(repaired).toEqual([
			`${pathOf(manifest)} is left as it is and not used: it belongs to the cluster other`,
		]);
		write(snapshots, descriptionOf(6), contentOf(100));
		snapshots.prune(1);
		expect(disk.bytes(pathOf(manifest)).equals(before)).toBe(true);
	});

	it("leave out one of a newer format, say which, and touch nothing", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const manifest = write(snapshots, descriptionOf(5), contentOf(100));
		const bytes = Buffer.from(disk.bytes(pathOf(manifest)));
		bytes.writeUInt32LE(2, 8);
		bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
		disk.overwrite(pathOf(manifest), bytes);
		const again = openOn(disk);
		expect(again.snapshots.list()).toEqual([]);
		expect(again.repaired).toEqual([
			`${pathOf(manifest)} is left as it is and not used: it is of format 2, and this release reads format 1`,
		]);
		write(again.snapshots, descriptionOf(6), contentOf(100));
		again.snapshots.prune(1);
		expect(disk.bytes(pathOf(manifest)).equals(bytes)).toBe(true);
	});

	it("leave out one with another's name", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const { id } = write(snapshots, descriptionOf(5), contentOf(100));
		disk.rename(
			pathOf({ index: 5, id } as never),
			pathOf({ index: 6, id } as never),
		);
		const renamed = openOn(disk);
		expect(renamed.snapshots.list()).toEqual([]);
		expect(renamed.repaired).toEqual([
			expect.stringContaining("its name is another snapshot's"),
		]);
		disk.rename(
			pathOf({ index: 6, id } as never),
			`${directory}/backup.snapshot`,
		);
		expect(openOn(disk).repaired).toEqual([
			expect.stringContaining("its name is none that raftd gives"),
		]);
	});

	it("are pruned to the newest ones, save those that are open", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const [, second, , fourth, fifth] = [1, 2, 3, 4, 5].map((index) =>
			write(snapshots, descriptionOf(index), contentOf(100 * index)),
		);
		const open = snapshots.open(2);
		const content = snapshots.content(2);
		snapshots.prune(2);
		expect(snapshots.list()).toEqual([fifth, fourth, second]);
		expect(disk.list(directory)).toHaveLength(3);
		expect(Buffer.from(open?.readAt(0, 1e6) ?? [])).toEqual(
			disk.bytes(pathOf(second as never)),
		);
		open?.close();
		open?.close();
		snapshots.prune(2);
		expect(snapshots.list()).toHaveLength(3);
		content.close();
		snapshots.prune(2);
		expect(snapshots.list()).toEqual([fifth, fourth]);
		expect(openOn(disk).snapshots.list()).toEqual([fifth, fourth]);
	});

	it("keep damaged ones until as many older ones could be let go", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const [, second] = [1, 2].map((index) =>
			write(snapshots, descriptionOf(index), contentOf(100)),
		);
		disk.flip(pathOf(second as never), (second?.fileBytes ?? 0) - 100, 0);
		expect(() => read(snapshots, 2)).toThrow();
		snapshots.prune(1);
		expect(disk.list(directory)).toHaveLength(2);
		write(snapshots, descriptionOf(3), contentOf(100));
		snapshots.prune(1);
		expect(disk.list(directory)).toHaveLength(1);
	});

	it("never go down to none by pruning", () => {
		const { snapshots } = openOn(new FakeDisk(1));
		write(snapshots, descriptionOf(1), contentOf(10));
		for (const keep of [0, -1, 0.5, Number.NaN])
			expect(() => snapshots.prune(keep)).toThrow(RangeError);
		expect(snapshots.list()).toHaveLength(1);
	});

	it("are read by a limited number at a time", () => {
		const { snapshots } = openOn(new FakeDisk(1));
		write(snapshots, descriptionOf(1), contentOf(10));
		const open = Array.from({ length: maxOpenFiles }, () => snapshots.open(1));
		expect(() => snapshots.open(1)).toThrow(OperatorError);
		open[0]?.close();
		snapshots.open(1)?.close();
	});

	it("give out pieces of a file, fewer bytes only at its end, none of an absurd size", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const manifest = write(snapshots, descriptionOf(1), contentOf(500));
		const file = snapshots.open(1);
		const bytes = disk.bytes(pathOf(manifest));
		const { fileBytes } = manifest;
		for (const [offset, length] of [
			[0, 10],
			[7, 100],
			[fileBytes - 3, 10],
			[fileBytes, 10],
			[fileBytes + 5, 10],
		] as const)
			expect(Buffer.from(file?.readAt(offset, length) ?? [])).toEqual(
				bytes.subarray(offset, offset + length),
			);
		for (const [offset, length] of [
			[-1, 1],
			[0, -1],
			[0, 2 ** 40],
			[Number.NaN, 1],
		] as const)
			expect(() => file?.readAt(offset, length)).toThrow(RangeError);
		expect(snapshots.open(2)).toBeNull();
	});

	it("are written one at a time; what a killed process left is removed and reported", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		snapshots.create(descriptionOf(1)).write(contentOf(500));
		expect(() => snapshots.create(descriptionOf(2))).toThrow(
			"a snapshot is being written already",
		);
		expect(disk.list(directory)).toHaveLength(1);
		const { repaired } = openOn(disk);
		expect(disk.list(directory)).toEqual([]);
		expect(repaired).toEqual([
			expect.stringMatching(/\.tmp was never finished and is removed$/),
		]);
	});

	it("leave nothing of one that was given up", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		const writer = snapshots.create(descriptionOf(1));
		writer.write(contentOf(500));
		writer.abort();
		writer.abort();
		expect(disk.list(directory)).toEqual([]);
		expect(() => writer.write(contentOf(1))).toThrow("was given up");
		expect(() => writer.finish()).toThrow("was given up");
		write(snapshots, descriptionOf(2), contentOf(10));
		expect(snapshots.list()).toHaveLength(1);
	});

	it("refuse a description that no reader would take, before a file is there", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk);
		for (const more of [
			{ index: 2 ** 48 },
			{ term: -1 },
			{ release: "x".repeat(2 ** 20) },
			{ machine: 7 as never },
		])
			expect(() => snapshots.create(descriptionOf(1, more))).toThrow();
		expect(disk.list(directory)).toEqual([]);
		write(snapshots, descriptionOf(2), contentOf(10));
	});
});
