import { describe, expect, it } from "vitest";
import type { SnapshotDirectory } from "../../../src/storage/snapshots/directory.js";
import type { SnapshotManifest } from "../../../src/storage/snapshots/snapshot-store.js";
import { FakeDisk } from "../../fakes/fake-disk.js";
import {
	contentOf,
	descriptionOf,
	isCrash,
	openOn,
	pathOf,
	place,
	read,
	write,
} from "./samples.js";

/** A content for each index, so that whatever is listed can be compared. */
const content = (index: number) => contentOf(40 * index + 7, index);

/** What happened before the power failed. */
interface Story {
	/** Indexes that were durable by the store's word and not given up since. */
	must: Set<number>;
	/** Others that may be there. */
	may: Set<number>;
}

/** The sender's manifest and file of a snapshot at `index`. */
function sentFile(index: number): { manifest: SnapshotManifest; file: Buffer } {
	const disk = new FakeDisk(99);
	const { snapshots } = openOn(disk);
	const manifest = write(snapshots, descriptionOf(index), content(index));
	return { manifest, file: Buffer.from(disk.bytes(pathOf(manifest))) };
}

const sent = sentFile(4);

function receive(snapshots: SnapshotDirectory, upTo = sent.file.length) {
	const receiver = snapshots.receive(sent.manifest);
	for (let at = receiver.offset; at < upTo; at += 50)
		receiver.write(sent.file.subarray(at, Math.min(at + 50, upTo)));
	return receiver;
}

/** Every change of the disk that the store knows, in one life of it. */
function play(disk: FakeDisk): Story & { crashed: boolean } {
	const story: Story = { must: new Set(), may: new Set() };
	const done = (index: number) => {
		story.must.add(index);
	};
	const pruned = (...indexes: number[]) => {
		for (const index of indexes) {
			story.must.delete(index);
			story.may.add(index);
		}
	};
	const take = (snapshots: SnapshotDirectory, index: number) => {
		story.may.add(index);
		write(snapshots, descriptionOf(index), content(index));
		done(index);
	};
	try {
		const { snapshots } = openOn(disk);
		take(snapshots, 1);
		take(snapshots, 2);
		snapshots.create(descriptionOf(3)).abort();
		receive(snapshots, 250).suspend();
		take(snapshots, 3);
		pruned(1);
		snapshots.prune(2);
		story.may.delete(1);
		const receiver = receive(snapshots);
		story.may.add(4);
		snapshots.finish(receiver);
		done(4);
		take(snapshots, 5);
		pruned(2, 3, 4);
		snapshots.prune(1);
		for (const index of [2, 3, 4]) story.may.delete(index);
		return { ...story, crashed: false };
	} catch (error) {
		if (!isCrash(error)) throw error;
		return { ...story, crashed: true };
	}
}

/** Opens again; everything that is listed must be right, nothing half-made may be there. */
function check(disk: FakeDisk, { must, may }: Story, what: string): number[] {
	const { snapshots, repaired } = openOn(disk);
	const listed = snapshots.list().map(({ index }) => index);
	expect(
		repaired.filter((line) => !line.endsWith("removed")),
		what,
	).toEqual([]);
	for (const index of listed) {
		expect(read(snapshots, index).equals(content(index)), what).toBe(true);
		expect(must.has(index) || may.has(index), `${what}: ${index}`).toBe(true);
	}
	expect(listed, what).toEqual(expect.arrayContaining([...must]));
	expect(
		disk.list(place.directory).filter((name) => name.endsWith(".tmp")),
	).toEqual([]);
	return listed;
}

function everyCrash(
	seeds: number,
	each: (disk: FakeDisk, story: Story, what: string) => void,
): number {
	let crashes = 0;
	for (let seed = 1; seed <= seeds; seed += 1) {
		const whole = new FakeDisk(seed);
		expect(play(whole).crashed).toBe(false);
		for (let at = 1; at <= whole.operations; at += 1) {
			const disk = new FakeDisk(seed * 10_000 + at);
			disk.crashAfter(at);
			const { crashed, ...story } = play(disk);
			expect(crashed).toBe(true);
			each(disk, story, `seed ${seed}, call ${at}`);
			crashes += 1;
		}
	}
	return crashes;
}

describe("the snapshots after a crash (P15, P17)", () => {
	it("are whole or not there, and those that were promised are there, wherever the power failed", () => {
		const crashes = everyCrash(10, (disk, story, what) => {
			disk.crash();
			const listed = check(disk, story, what);
			// What an open listed is durable: the next crash must not take it back.
			disk.crash();
			expect(check(disk, story, `${what}, twice`)).toEqual(listed);
		});
		expect(crashes).toBeGreaterThan(500);
	});

	it("are as safe when the process was killed and the power failed later", () => {
		everyCrash(4, (disk, story, what) => {
			disk.restart();
			const listed = check(disk, story, what);
			disk.crash();
			expect(check(disk, story, `${what}, power`)).toEqual(listed);
		});
	});

	it("are as safe when the power fails again while the first crash is cleared away", () => {
		everyCrash(2, (disk, story, what) => {
			disk.crash();
			for (let at = 1; ; at += 1) {
				disk.crashAfter(at);
				try {
					openOn(disk);
					disk.restart();
					break;
				} catch (error) {
					if (!isCrash(error)) throw error;
				}
				disk.crash();
				check(disk.copy(at), story, `${what}, again at ${at}`);
			}
			check(disk, story, what);
		});
	});

	it("can be written, received and pruned on, and what was half received comes to its end", () => {
		everyCrash(4, (disk, story, what) => {
			disk.crash();
			const { snapshots } = openOn(disk);
			const receiver = receive(snapshots);
			expect(snapshots.finish(receiver), what).toEqual(sent.manifest);
			expect(disk.bytes(pathOf(sent.manifest)).equals(sent.file)).toBe(true);
			write(snapshots, descriptionOf(6), content(6));
			snapshots.prune(1);
			disk.crash();
			expect(disk.list(place.directory), what).toHaveLength(1);
			expect(check(disk, { must: new Set([6]), may: story.may }, what)).toEqual(
				[6],
			);
		});
	});
});
