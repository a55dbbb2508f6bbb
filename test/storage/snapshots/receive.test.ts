import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import type { SnapshotManifest } from "../../../src/storage/snapshots/snapshot-store.js";
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

const content = contentOf(300);
const chunks = 5;
let manifest: SnapshotManifest;
/** The sender's file. */
let file: Buffer;

beforeEach(() => {
	const disk = new FakeDisk(1);
	manifest = write(openOn(disk).snapshots, descriptionOf(5), content);
	file = Buffer.from(disk.bytes(pathOf(manifest)));
});

const chunkStart = (number: number) =>
	file.length - 56 - 300 - chunks * 12 + number * 76;

function partialOn(disk: FakeDisk): Buffer {
	return disk.bytes(`${place.directory}/${manifest.id}.part`);
}

describe("receiving a snapshot", () => {
	it("gives the sender's file, whatever the pieces are", () => {
		fc.assert(
			fc.property(
				fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }),
				(sizes) => {
					const disk = new FakeDisk(2);
					const { snapshots } = openOn(disk);
					const receiver = snapshots.receive(manifest);
					expect(receiver.offset).toBe(0);
					let at = 0;
					for (const size of [...sizes, file.length]) {
						receiver.write(Uint8Array.from(file.subarray(at, at + size)));
						at += size;
					}
					expect(snapshots.list()).toEqual([]);
					expect(snapshots.finish(receiver)).toEqual(manifest);
					expect(snapshots.list()).toEqual([manifest]);
					expect(disk.bytes(pathOf(manifest)).equals(file)).toBe(true);
					expect(disk.list(place.directory)).toHaveLength(1);
					expect(read(openOn(disk).snapshots, 5).equals(content)).toBe(true);
				},
			),
		);
	});

	it("goes on behind the last good chunk, wherever it was cut off", () => {
		const bounds = [0, 40, chunkStart(0)];
		for (let number = 1; number < chunks; number += 1)
			bounds.push(chunkStart(number));
		bounds.push(file.length - 56, file.length);
		for (let cut = 0; cut <= file.length; cut += 1) {
			const disk = new FakeDisk(2);
			const first = openOn(disk).snapshots.receive(manifest);
			first.write(file.subarray(0, cut));
			const expected = bounds.findLast((bound) => bound <= cut);
			if (cut % 2 === 0) first.suspend();
			const { snapshots, repaired } = openOn(disk);
			expect(repaired).toEqual([]);
			const second = snapshots.receive(manifest);
			expect(second.offset, `cut at ${cut}`).toBe(expected);
			second.write(file.subarray(second.offset));
			expect(snapshots.finish(second)).toEqual(manifest);
			expect(disk.bytes(pathOf(manifest)).equals(file)).toBe(true);
		}
	});

	it("cuts a torn or rotten partial file behind its last good chunk", () => {
		for (let at = 0; at < file.length; at += 3) {
			const disk = new FakeDisk(2);
			openOn(disk).snapshots.receive(manifest).write(file.subarray(0, -1));
			const path = `${place.directory}/${manifest.id}.part`;
			if (at >= partialOn(disk).length) continue;
			if (at % 2 === 0) disk.flip(path, at, at % 8);
			else disk.overwrite(path, partialOn(disk).subarray(0, at));
			const { snapshots } = openOn(disk);
			const receiver = snapshots.receive(manifest);
			expect(receiver.offset, `damage at ${at}`).toBeLessThanOrEqual(at);
			expect(receiver.offset).toBeGreaterThan(at - 400);
			expect(partialOn(disk)).toHaveLength(receiver.offset);
			receiver.write(file.subarray(receiver.offset));
			snapshots.finish(receiver);
			expect(disk.bytes(pathOf(manifest)).equals(file)).toBe(true);
		}
	});

	it("refuses a damaged chunk at once and keeps what came before it", () => {
		const { snapshots } = openOn(new FakeDisk(2));
		const receiver = snapshots.receive(manifest);
		const damaged = Buffer.from(file);
		damaged[chunkStart(2) + 40] = (damaged[chunkStart(2) + 40] as number) ^ 1;
		receiver.write(damaged.subarray(0, chunkStart(2) + 75));
		const write = () => receiver.write(damaged.subarray(chunkStart(2) + 75));
		expect(write).toThrow(OperatorError);
		expect(write).toThrow(
			`the snapshot ${manifest.id} from another node is refused: chunk 2 is damaged, at offset ${chunkStart(2)}`,
		);
		expect(() => snapshots.finish(receiver)).toThrow("chunk 2 is damaged");
		const again = snapshots.receive(manifest);
		expect(again.offset).toBe(chunkStart(2));
		again.write(file.subarray(again.offset));
		snapshots.finish(again);
	});

	it("notices every byte that changed on the way, and lists nothing", () => {
		for (let at = 0; at < file.length; at += 1) {
			const disk = new FakeDisk(2);
			const { snapshots } = openOn(disk);
			const receiver = snapshots.receive(manifest);
			const damaged = Buffer.from(file);
			damaged[at] = (damaged[at] as number) ^ 0x10;
			expect(() => {
				receiver.write(damaged);
				snapshots.finish(receiver);
			}, `byte ${at}`).toThrow(OperatorError);
			expect(snapshots.list()).toEqual([]);
		}
	});

	it.each([
		["another cluster's", { clusterId: "other" }, {}, "belongs to the cluster"],
		["another index's", {}, { index: 6 }, "it is of index 5 and not of 6"],
		["another id's", {}, { id: "ab".repeat(16) }, "another id"],
	])(
		"refuses %s as soon as the file says so, and keeps nothing",
		(_, options, announced, words) => {
			const disk = new FakeDisk(2);
			const { snapshots } = openOn(disk, options);
			const receiver = snapshots.receive({ ...manifest, ...announced });
			expect(() => receiver.write(file.subarray(0, chunkStart(0)))).toThrow(
				words,
			);
			expect(disk.list(place.directory)).toEqual([]);
		},
	);

	it.each([
		["shorter", -1],
		["longer", 1],
	])("refuses a file that is %s than announced", (_, difference) => {
		const disk = new FakeDisk(2);
		const { snapshots } = openOn(disk);
		const fileBytes = file.length + difference;
		const receiver = snapshots.receive({ ...manifest, fileBytes });
		expect(() => {
			receiver.write(file);
			snapshots.finish(receiver);
		}).toThrow(OperatorError);
		expect(snapshots.list()).toEqual([]);
	});

	it("drops a file whose end is missing when it is called finished", () => {
		const disk = new FakeDisk(2);
		const { snapshots } = openOn(disk);
		const receiver = snapshots.receive(manifest);
		receiver.write(file.subarray(0, -1));
		expect(() => snapshots.finish(receiver)).toThrow("its end is missing");
		expect(disk.list(place.directory)).toEqual([]);
	});

	it("drops a file whose chunks are right one by one and wrong together", () => {
		const other = new FakeDisk(3);
		const id = () => Buffer.from(manifest.id, "hex");
		const twin = openOn(other, { newId: id }).snapshots;
		write(twin, descriptionOf(5), contentOf(300, 2));
		const mixed = Buffer.from(file);
		other
			.bytes(pathOf(manifest))
			.copy(mixed, chunkStart(2), chunkStart(2), file.length - 56);
		const disk = new FakeDisk(2);
		const { snapshots } = openOn(disk);
		const receiver = snapshots.receive(manifest);
		expect(() => receiver.write(mixed)).toThrow("another SHA-256");
		expect(disk.list(place.directory)).toEqual([]);
	});

	it.each([
		["an id that is a path", { id: "../../../../etc/passwd" }],
		["an id in capitals", { id: "AB".repeat(16) }],
		["a size below that of an empty one", { fileBytes: 99 }],
		["a size that is no number", { fileBytes: Number.NaN }],
	])("refuses %s before anything is written", (_, announced) => {
		const disk = new FakeDisk(2);
		const { snapshots } = openOn(disk);
		expect(() => snapshots.receive({ ...manifest, ...announced })).toThrow(
			OperatorError,
		);
		expect(disk.list(place.directory)).toEqual([]);
	});

	it("keeps one partial file only, that of the newest attempt", () => {
		const disk = new FakeDisk(2);
		const { snapshots } = openOn(disk);
		const first = snapshots.receive({ ...manifest, id: "ab".repeat(16) });
		const second = snapshots.receive(manifest);
		expect(disk.list(place.directory)).toEqual([`${manifest.id}.part`]);
		expect(() => first.write(file)).toThrow("suspended");
		second.write(file.subarray(0, chunkStart(2)));
		const third = snapshots.receive(manifest);
		expect(third.offset).toBe(chunkStart(2));
		expect(() => second.write(file)).toThrow("suspended");
		third.write(file.subarray(third.offset));
		expect(snapshots.finish(third)).toEqual(manifest);
	});

	it("is no obstacle to writing one", () => {
		const { snapshots } = openOn(new FakeDisk(2));
		const receiver = snapshots.receive(manifest);
		receiver.write(file.subarray(0, 500));
		const own = write(snapshots, descriptionOf(6), contentOf(10));
		receiver.write(file.subarray(500));
		expect(snapshots.finish(receiver)).toEqual(manifest);
		expect(snapshots.list()).toEqual([own, manifest]);
	});

	it("again of a snapshot that is here already changes nothing", () => {
		const disk = new FakeDisk(2);
		const { snapshots } = openOn(disk);
		for (let time = 1; time <= 2; time += 1) {
			const receiver = snapshots.receive(manifest);
			receiver.write(file);
			snapshots.finish(receiver);
		}
		expect(snapshots.list()).toEqual([manifest]);
	});

	it("leaves no partial file for ever once there is a newer snapshot", () => {
		const disk = new FakeDisk(2);
		const { snapshots } = openOn(disk);
		const receiver = snapshots.receive(manifest);
		receiver.write(file.subarray(0, 500));
		write(snapshots, descriptionOf(4), contentOf(10));
		receiver.suspend();
		snapshots.prune(1);
		expect(partialOn(disk).length).toBeGreaterThan(0);
		const again = snapshots.receive(manifest);
		write(snapshots, descriptionOf(6), contentOf(10));
		snapshots.prune(1);
		expect(partialOn(disk).length).toBeGreaterThan(0);
		again.suspend();
		snapshots.prune(1);
		expect(disk.list(place.directory)).toHaveLength(1);
	});
});
