import { describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { syncEveryBytes } from "../../../src/storage/snapshots/growing-file.js";
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

function thrown(action: () => unknown): unknown {
	try {
		action();
	} catch (error) {
		return error;
	}
	throw new Error("nothing was thrown");
}

/** A disk with one snapshot, at 1. */
function prepared() {
	const disk = new FakeDisk(1);
	const { snapshots } = openOn(disk);
	const older = write(snapshots, descriptionOf(1), contentOf(300));
	return { disk, snapshots, older };
}

describe("a snapshot on a failing disk", () => {
	it("is given up when the disk is full, with how much is missing, and leaves nothing", () => {
		for (const room of [0, 1, 400, 500, 600, 750]) {
			const { disk, snapshots, older } = prepared();
			disk.capacityBytes = older.fileBytes + room;
			const failure = thrown(() =>
				write(snapshots, descriptionOf(2), contentOf(400)),
			);
			expect(failure).toBeInstanceOf(OperatorError);
			expect(failure).toMatchObject({
				node: "n1",
				message: expect.stringMatching(
					/^the disk is full: no room for the snapshot \/data\/snapshots\/\w+\.tmp \(at least [1-9]\d* more bytes are needed\)$/,
				),
				next: expect.stringContaining("free some space"),
			});
			expect(disk.list(place.directory)).toHaveLength(1);
			expect(snapshots.list()).toEqual([older]);
			disk.capacityBytes = Number.POSITIVE_INFINITY;
			const newer = write(snapshots, descriptionOf(3), contentOf(400));
			expect(openOn(disk).snapshots.list()).toEqual([newer, older]);
		}
	});

	it("is given up when a write or a sync fails, whichever it is, and the next one succeeds", () => {
		const whole = prepared();
		const before = whole.disk.operations;
		write(whole.snapshots, descriptionOf(2), contentOf(400));
		const operations = whole.disk.operations - before;
		let failures = 0;
		for (const kind of ["sync", "write"] as const) {
			for (let skip = 0; skip < operations; skip += 1) {
				const { disk, snapshots, older } = prepared();
				const failing = failAfter(disk, kind, skip);
				const { snapshots: unlucky } = openOn(failing.disk);
				failing.arm();
				if (attempt(() => write(unlucky, descriptionOf(2), contentOf(400))))
					continue;
				failures += 1;
				failing.disarm();
				expect(unlucky.list()).toEqual([older]);
				expect(disk.list(place.directory), `${kind} ${skip}`).toHaveLength(1);
				const newer = write(unlucky, descriptionOf(3), contentOf(10));
				expect(unlucky.list()).toEqual([newer, older]);
				expect(read(unlucky, 1)).toHaveLength(300);
				expect(snapshots.list()).toEqual([older]);
			}
		}
		expect(failures).toBeGreaterThan(8);
	});

	it("fails in the same way at every later call, and does not sync again (P11)", () => {
		const { disk, snapshots } = prepared();
		const writer = snapshots.create(descriptionOf(2));
		writer.write(contentOf(30));
		disk.failSyncs(1);
		const failure = thrown(() => snapshots.finish(writer));
		expect(failure).toMatchObject({
			message: expect.stringMatching(/could not be written: EIO: fsync$/),
		});
		expect(thrown(() => snapshots.finish(writer))).toBe(failure);
		expect(thrown(() => writer.write(contentOf(1)))).toBe(failure);
		expect(disk.list(place.directory)).toHaveLength(1);
	});

	it("that is received is given up just so, and says how much of the whole is missing", () => {
		const sender = new FakeDisk(2);
		const manifest = write(
			openOn(sender).snapshots,
			descriptionOf(2),
			contentOf(400),
		);
		const file = Buffer.from(sender.bytes(pathOf(manifest)));
		const { disk, snapshots, older } = prepared();
		disk.capacityBytes = older.fileBytes + file.length - 100;
		const full = snapshots.receive(manifest);
		const failure = thrown(() => full.write(file));
		expect(failure).toBeInstanceOf(OperatorError);
		const missing = /at least (\d+) more bytes/.exec(
			(failure as Error).message,
		)?.[1];
		// The chunk that did not fit, and all behind it.
		expect(Number(missing)).toBeGreaterThanOrEqual(100);
		expect(Number(missing)).toBeLessThanOrEqual(200);
		expect(disk.list(place.directory)).toHaveLength(1);
		expect(thrown(() => snapshots.finish(full))).toBe(failure);
		disk.capacityBytes = Number.POSITIVE_INFINITY;
		const unsynced = snapshots.receive(manifest);
		unsynced.write(file);
		disk.failSyncs(1);
		expect(() => snapshots.finish(unsynced)).toThrow("could not be written");
		expect(disk.list(place.directory)).toHaveLength(1);
		disk.failSyncs(1);
		expect(() => snapshots.receive(manifest)).toThrow("could not be written");
		expect(disk.list(place.directory)).toHaveLength(1);
		const lucky = snapshots.receive(manifest);
		expect(lucky.offset).toBe(0);
		lucky.write(file);
		snapshots.finish(lucky);
		expect(snapshots.list()).toEqual([manifest, older]);
	});

	it("is synced as it grows, so that little is left for the end", () => {
		const disk = new FakeDisk(1);
		const { snapshots } = openOn(disk, { chunkBytes: 1024 * 1024 });
		const writer = snapshots.create(descriptionOf(1));
		const piece = new Uint8Array(1024 * 1024);
		const syncs: number[] = [];
		for (let at = 1; at <= 8; at += 1) {
			const before = disk.operations;
			writer.write(piece);
			// One write for each chunk; what is more is a sync.
			if (disk.operations - before > 1) syncs.push(at);
		}
		expect(syncs).toEqual([2, 4, 6, 8]);
		expect(syncEveryBytes).toBe(2 * piece.length);
		writer.abort();
	});

	it("that cannot be removed is an error of the pruning, and nothing else is lost", () => {
		const { disk, snapshots, older } = prepared();
		const newer = write(snapshots, descriptionOf(2), contentOf(10));
		disk.failSyncs(1);
		const failure = thrown(() => snapshots.prune(1));
		expect(failure).toBeInstanceOf(OperatorError);
		expect(read(snapshots, 2)).toHaveLength(10);
		expect([[newer], [newer, older]]).toContainEqual(
			openOn(disk).snapshots.list(),
		);
	});

	it("that somebody removed by hand is no longer listed once that is noticed", () => {
		const { disk, snapshots, older } = prepared();
		const newer = write(snapshots, descriptionOf(2), contentOf(10));
		disk.remove(pathOf(newer));
		expect(() => snapshots.open(2)).toThrow(OperatorError);
		expect(snapshots.list()).toEqual([older]);
		snapshots.prune(1);
	});
});

function attempt(action: () => unknown): boolean {
	try {
		action();
		return true;
	} catch (error) {
		expect(error).toBeInstanceOf(OperatorError);
		return false;
	}
}

/** The same disk, on which, once armed, one call of a kind fails after `skip` that did not. */
function failAfter(disk: FakeDisk, kind: "sync" | "write", skip: number) {
	let left = Number.POSITIVE_INFINITY;
	const before = (): void => {
		left -= 1;
		if (left !== -1) return;
		if (kind === "sync") disk.failSyncs(1);
		else disk.failWrites(1);
	};
	const wrapped = Object.assign(Object.create(disk) as FakeDisk, {
		list: (directory: string) => disk.list(directory),
		makeDirectory: (directory: string) => disk.makeDirectory(directory),
		open: (path: string) => disk.open(path),
		rename: (from: string, to: string) => disk.rename(from, to),
		remove: (path: string) => disk.remove(path),
		create: (path: string) => {
			const file = disk.create(path);
			return {
				...file,
				writeAt: (bytes: Uint8Array, offset: number) => {
					if (kind === "write") before();
					file.writeAt(bytes, offset);
				},
				sync: () => {
					if (kind === "sync") before();
					file.sync();
				},
			};
		},
		syncDirectory: (path: string) => {
			if (kind === "sync") before();
			disk.syncDirectory(path);
		},
	});
	return {
		disk: wrapped,
		arm: () => {
			left = skip;
		},
		disarm: () => {
			left = Number.POSITIVE_INFINITY;
		},
	};
}
