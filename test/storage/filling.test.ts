import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realDisk } from "../../src/storage/real-disk.js";
import { openWal } from "../../src/storage/wal.js";
import { FakeDisk } from "../fakes/fake-disk.js";
import { batchOf, entry, openOn, place } from "./history.js";

const segmentBytes = 16 * 1024 * 1024;
let directory: string;

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "raftctl-filling-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** Writes records of so many bytes until there are three segments; the bytes that the last one takes on the disk then. */
function lastSegmentAfter(recordBytes: number): number {
	const data = "x".repeat(recordBytes);
	const open = () =>
		openWal({ ...place, directory, segmentBytes, disk: realDisk });
	const { wal } = open();
	let written = 0;
	while (wal.stats().segments < 3) {
		written++;
		wal.append([batchOf(written, [entry(written, 1, data)])]);
		while (wal.prepare(1024 * 1024));
	}
	const path = join(directory, "0000000003.wal");
	const { blocks, size } = statSync(path);
	expect(size).toBe(segmentBytes);
	wal.close();
	const again = open();
	expect(again.recovered).toMatchObject({ lastIndex: written, repaired: null });
	again.wal.close();
	return blocks * 512;
}

describe("the segments behind", () => {
	it("small records are filled with zeros before they are needed", () => {
		expect(lastSegmentAfter(32 * 1024)).toBeGreaterThanOrEqual(segmentBytes);
	});

	it.each([
		["when it is written", (disk: FakeDisk) => disk.failWrites(1, "ENOSPC")],
		["when it is synced", (disk: FakeDisk) => disk.failSyncs(1, "ENOSPC")],
	])(
		"a record that finds no room %s stops the log, and loses nothing of what was acknowledged",
		(_, fill) => {
			const disk = new FakeDisk(1);
			const { wal } = openOn(disk, undefined, undefined, 0);
			wal.append([batchOf(1, [entry(1, 1)])]);
			fill(disk);
			expect(() => wal.append([batchOf(2, [entry(2, 1)])])).toThrow(
				/^the disk is full: no room/,
			);
			disk.crash();
			const { recovered } = openOn(disk);
			expect(recovered.lastIndex).toBeGreaterThanOrEqual(1);
		},
	);

	it("a note of how far one is durable may find no room, and is made when there is some", () => {
		const disk = new FakeDisk(1);
		const { wal } = openOn(disk, undefined, undefined, 0);
		wal.append([batchOf(1, [entry(1, 1)])]);
		const path = `${place.directory}/0000000001.wal`;
		const noted = () => disk.bytes(path).subarray(4096, 4116);
		disk.failWrites(1, "ENOSPC");
		wal.markFloor();
		wal.append([batchOf(2, [entry(2, 1)])]);
		wal.close();
		expect(noted()).not.toEqual(Buffer.alloc(20));
		expect(openOn(disk).recovered).toMatchObject({ lastIndex: 2 });
	});

	it("large records are not, so that the disk writes them once", () => {
		expect(lastSegmentAfter(900 * 1024)).toBeLessThan(segmentBytes / 2);
	});
});
