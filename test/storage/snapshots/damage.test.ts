import { describe, expect, it } from "vitest";
import type { SnapshotManifest } from "../../../src/storage/snapshots/snapshot-store.js";
import {
	maxProblems,
	verifySnapshotFile,
} from "../../../src/storage/snapshots/verify.js";
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

const content = contentOf(150);

function sample(): { disk: FakeDisk; manifest: SnapshotManifest } {
	const disk = new FakeDisk(1);
	const manifest = write(openOn(disk).snapshots, descriptionOf(5), content);
	return { disk, manifest };
}

/** What a node makes of the file: the sound content, or nothing. */
function found(disk: FakeDisk): Buffer | null {
	const { snapshots, repaired } = openOn(disk);
	expect(snapshots.list().length + repaired.length).toBe(1);
	try {
		return read(snapshots, 5);
	} catch {
		expect(snapshots.list()).toEqual([]);
		return null;
	}
}

/** Changes of the file, each with a name. */
function* damages(
	bytes: Buffer,
): Generator<{ readonly what: string; readonly changed: Buffer }> {
	for (let at = 0; at < bytes.length; at += 1) {
		yield { what: `cut to ${at}`, changed: bytes.subarray(0, at) };
		for (const mask of [1 << (at % 8), 0xff]) {
			const changed = Buffer.from(bytes);
			changed[at] = (changed[at] as number) ^ mask;
			yield { what: `byte ${at} with ${mask}`, changed };
		}
		if (bytes[at] === 0) continue;
		const zeroed = Buffer.from(bytes);
		zeroed.fill(0, at, Math.min(at + 16, bytes.length));
		yield { what: `zeros from ${at}`, changed: zeroed };
	}
	for (const more of [1, 12, 56, 76])
		yield {
			what: `${more} bytes more`,
			changed: Buffer.concat([bytes, bytes.subarray(0, more)]),
		};
}

describe("a damaged snapshot", () => {
	it("is never taken for a whole one, whichever byte changed and wherever it was cut", () => {
		const { disk, manifest } = sample();
		const path = pathOf(manifest);
		const bytes = Buffer.from(disk.bytes(path));
		expect(found(disk)?.equals(content)).toBe(true);
		let count = 0;
		for (const { what, changed } of damages(bytes)) {
			disk.overwrite(path, changed);
			expect(found(disk), what).toBeNull();
			const { ok, problems } = verifySnapshotFile(path, disk);
			expect(ok, what).toBe(false);
			expect(problems.length, what).toBeGreaterThan(0);
			for (const { offset } of problems)
				expect(offset, what).toBeLessThanOrEqual(changed.length);
			count += 1;
		}
		expect(count).toBeGreaterThan(3 * bytes.length);
	});

	it("is noticed when two of its chunks changed places, or one came from another file", () => {
		const { disk, manifest } = sample();
		const path = pathOf(manifest);
		const bytes = Buffer.from(disk.bytes(path));
		const start = bytes.length - 56 - 150 - 3 * 12;
		const swapped = Buffer.from(bytes);
		bytes.copy(swapped, start, start + 76, start + 152);
		bytes.copy(swapped, start + 76, start, start + 76);
		disk.overwrite(path, swapped);
		expect(verifySnapshotFile(path, disk).problems).toEqual([
			{ offset: start, what: "chunk 0 is damaged" },
			{ offset: start + 76, what: "chunk 1 is damaged" },
		]);
		// The same content at the same place, of a snapshot with another id.
		const twin = sample();
		const foreign = Buffer.from(twin.disk.bytes(pathOf(twin.manifest)));
		foreign.copy(bytes, start, start, start + 76);
		disk.overwrite(path, bytes);
		expect(verifySnapshotFile(path, disk).problems).toEqual([
			{ offset: start, what: "chunk 0 is damaged" },
		]);
	});

	it("is noticed when every chunk is right and all of them together are not", () => {
		const { disk, manifest } = sample();
		const path = pathOf(manifest);
		const bytes = Buffer.from(disk.bytes(path));
		const id = () => Buffer.from(manifest.id, "hex");
		const other = new FakeDisk(2);
		const { snapshots } = openOn(other, { newId: id });
		write(snapshots, descriptionOf(5), contentOf(150, 2));
		const chunks = bytes.length - 56 - 150 - 3 * 12;
		other.bytes(path).copy(bytes, chunks, chunks, bytes.length - 56);
		disk.overwrite(path, bytes);
		expect(verifySnapshotFile(path, disk).problems).toEqual([
			{
				offset: bytes.length - 56,
				what: "its content has another SHA-256",
			},
		]);
		expect(() => read(openOn(disk).snapshots, 5)).toThrow("another SHA-256");
	});
});

describe("the check of a snapshot's file", () => {
	it("gives the manifest of a whole one, of any cluster and under any name", () => {
		const disk = new FakeDisk(1);
		const description = descriptionOf(5, { clusterId: "elsewhere" });
		const { snapshots } = openOn(disk, { clusterId: "elsewhere" });
		const manifest = write(snapshots, description, content);
		const path = `${place.directory}/backup`;
		disk.rename(pathOf(manifest), path);
		expect(verifySnapshotFile(path, disk)).toEqual({
			manifest,
			ok: true,
			problems: [],
		});
	});

	it("says all that is wrong, in order, and still what the file is", () => {
		const { disk, manifest } = sample();
		const path = pathOf(manifest);
		const start = manifest.fileBytes - 56 - 150 - 3 * 12;
		disk.flip(path, start + 30, 0);
		disk.flip(path, start + 2 * 76 + 1, 0);
		expect(verifySnapshotFile(path, disk)).toEqual({
			manifest,
			ok: false,
			problems: [
				{ offset: start, what: "chunk 0 is damaged" },
				{ offset: start + 152, what: "chunk 2 is damaged" },
			],
		});
		disk.flip(path, 60, 0);
		disk.flip(path, manifest.fileBytes - 1, 0);
		expect(verifySnapshotFile(path, disk)).toEqual({
			manifest: null,
			ok: false,
			problems: [
				{ offset: 40, what: "its description is damaged" },
				{ offset: start, what: "chunk 0 is damaged" },
				{ offset: start + 152, what: "chunk 2 is damaged" },
				{
					offset: manifest.fileBytes - 56,
					what: "its trailer is damaged, or the file is cut short",
				},
			],
		});
	});

	it("names a limited number of problems", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk, { chunkBytes: 1 });
		const manifest = write(snapshots, descriptionOf(5), contentOf(500));
		const bytes = Buffer.from(disk.bytes(pathOf(manifest)));
		bytes.fill(0, bytes.length - 56 - 500 * 13, bytes.length - 56);
		disk.overwrite(pathOf(manifest), bytes);
		const { problems } = verifySnapshotFile(pathOf(manifest), disk);
		expect(problems).toHaveLength(maxProblems);
	});

	it("never throws: not for a missing file, and not for a failing disk", () => {
		const { disk, manifest } = sample();
		expect(verifySnapshotFile("/data/snapshots/none", disk)).toMatchObject({
			manifest: null,
			ok: false,
			problems: [{ offset: 0, what: expect.stringContaining("ENOENT") }],
		});
		const file = disk.open(pathOf(manifest));
		const failing = Object.assign(Object.create(disk), {
			open: () => ({
				...file,
				readAt: (target: Uint8Array, offset: number) => {
					if (offset > 500) throw new Error("EIO: read");
					return file.readAt(target, offset);
				},
			}),
		});
		const { problems } = verifySnapshotFile(pathOf(manifest), failing);
		expect(problems.at(-1)).toEqual({
			offset: manifest.fileBytes - 56,
			what: "it cannot be read: EIO: read",
		});
	});
});
