import { describe, expect, it } from "vitest";
import { OperatorError } from "../../src/errors.js";
import { FakeDisk } from "../fakes/fake-disk.js";
import { batchOf, contentsOf, entry, Model, openOn, place } from "./history.js";

const firstPath = `${place.directory}/0000000001.wal`;

describe("the log on a failing disk", () => {
	it("acknowledges nothing after a failed fsync, and never tries that fsync again", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk);
		wal.append([batchOf(1, [entry(1, 1)])]);
		disk.failSyncs(1);
		expect(() => wal.append([batchOf(2, [entry(2, 1)])])).toThrow("EIO");
		const { operations } = disk;
		expect(() => wal.append([batchOf(3, [entry(3, 1)])])).toThrow("EIO");
		expect(() => wal.markFloor()).toThrow("EIO");
		wal.close();
		expect(disk.operations).toBe(operations);
	});

	it("does not believe the page cache after a failed fsync: what a restart finds survives the next power cut", () => {
		for (let seed = 1; seed <= 50; seed += 1) {
			const disk = new FakeDisk(seed);
			const { wal } = openOn(disk);
			wal.append([batchOf(1, [entry(1, 1)])]);
			disk.failSyncs(1);
			expect(() => wal.append([batchOf(2, [entry(2, 1)])])).toThrow("EIO");
			// The process restarts on the same kernel, which has the pages in memory and counts them as clean.
			const again = openOn(disk);
			const found = contentsOf(again.wal, again.recovered);
			disk.crash();
			const after = openOn(disk);
			expect(contentsOf(after.wal, after.recovered)).toBe(found);
		}
	});

	it("acknowledges nothing after a write that stopped half way, and cuts its half off at the next start", () => {
		const disk = new FakeDisk(2);
		const { wal } = openOn(disk);
		wal.append([batchOf(1, [entry(1, 1)])]);
		disk.failWrites(1);
		const long = entry(2, 1, "x".repeat(2000));
		expect(() => wal.append([batchOf(2, [long])])).toThrow("EIO");
		expect(() => wal.append([batchOf(3, [entry(2, 1)])])).toThrow("EIO");
		const { wal: again, recovered } = openOn(disk);
		expect(recovered.lastIndex).toBe(1);
		expect(recovered.repaired?.file).toBe(firstPath);
		again.append([batchOf(4, [entry(2, 2)])]);
		expect(openOn(disk).recovered).toMatchObject({
			lastIndex: 2,
			repaired: null,
		});
	});

	it("keeps the cut of a suffix and what replaces it together when the append fails", () => {
		for (const fail of ["failWrites", "failSyncs"] as const) {
			const disk = new FakeDisk(3);
			const { wal } = openOn(disk);
			wal.append([batchOf(1, [entry(1, 1), entry(2, 1), entry(3, 1)])]);
			disk[fail](1);
			expect(() => wal.append([batchOf(2, [entry(2, 2)])])).toThrow("EIO");
			disk.crash();
			const { wal: again, recovered } = openOn(disk);
			const before = new Model().apply([
				batchOf(1, [entry(1, 1), entry(2, 1), entry(3, 1)]),
			]);
			const after = before.copy().apply([batchOf(2, [entry(2, 2)])]);
			expect([before.contents(), after.contents()]).toContain(
				contentsOf(again, recovered),
			);
		}
	});

	it("serves from the segment it has while the disk is full, then stops with everything acknowledged in place", () => {
		const disk = new FakeDisk(4);
		disk.capacityBytes = 20 * 1024;
		const { wal } = openOn(disk);
		const model = new Model();
		let failure: unknown = null;
		for (let index = 1; failure === null && index < 100; index += 1) {
			const group = [batchOf(index, [entry(index, 1, "x".repeat(400))])];
			try {
				wal.append(group);
				model.apply(group);
				while (wal.prepare(4096));
			} catch (error) {
				failure = error;
			}
		}
		expect(failure).toBeInstanceOf(OperatorError);
		expect((failure as OperatorError).message).toContain("the disk is full");
		expect((failure as OperatorError).message).toContain(place.directory);
		expect(model.entries.length).toBeGreaterThan(3);
		disk.crash();
		const full = openOn(disk);
		expect(contentsOf(full.wal, full.recovered)).toBe(model.contents());
		disk.capacityBytes = 1024 * 1024;
		const next = [
			batchOf(100, [entry(model.entries.length + 1, 1, "y".repeat(2000))]),
		];
		full.wal.append(next);
		const { wal: last, recovered } = openOn(disk);
		expect(contentsOf(last, recovered)).toBe(model.apply(next).contents());
	});

	it("begins a log on a full disk with an error that says so", () => {
		const disk = new FakeDisk(5);
		disk.capacityBytes = 1000;
		expect(() => openOn(disk)).toThrow(OperatorError);
		disk.capacityBytes = 1024 * 1024;
		expect(openOn(disk).recovered.lastIndex).toBe(0);
	});
});

describe("stale bytes", () => {
	it("of a tail that was cut off are never read behind a shorter record", () => {
		const long = [1, 2, 3, 4, 5, 6].map((index) =>
			entry(index, 1, "old".repeat(150)),
		);
		const disk = new FakeDisk(6);
		const { wal } = openOn(disk);
		wal.append([batchOf(1, [entry(1, 1)])]);
		disk.failWrites(1);
		expect(() => wal.append([batchOf(2, long.slice(1))])).toThrow("EIO");
		const repaired = openOn(disk);
		expect(repaired.recovered.repaired).not.toBeNull();
		repaired.wal.append([batchOf(3, [entry(2, 2, "new")])]);
		disk.crash();
		const { wal: again, recovered } = openOn(disk);
		expect(recovered).toMatchObject({ lastIndex: 2, repaired: null });
		expect(Buffer.from(again.readBlock(1, 2, 1e6)).includes("old")).toBe(false);
		expect(disk.bytes(firstPath).includes("old")).toBe(false);
	});

	it("of another history at the very place of the next record are no record of this one", () => {
		// Two logs share a first segment's id and their first record; each then goes its own way.
		const id = () => Buffer.alloc(16, 7);
		const [one, two] = [new FakeDisk(7), new FakeDisk(7)];
		for (const [disk, data] of [
			[one, "a"],
			[two, "b"],
		] as const) {
			const { wal } = openOn(disk, undefined, id);
			wal.append([batchOf(1, [entry(1, 1)])]);
			wal.append([batchOf(2, [entry(2, 1, data)])]);
			wal.append([batchOf(3, [entry(3, 1, data)])]);
		}
		const bytes = Buffer.from(one.bytes(firstPath));
		const third = 3 * 4096 + 2 * 512;
		two.bytes(firstPath).copy(bytes, third, third);
		one.overwrite(firstPath, bytes);
		expect(() => openOn(one)).toThrow("does not follow its chain");
	});
});
