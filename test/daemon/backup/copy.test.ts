import { beforeEach, describe, expect, it } from "vitest";
import {
	type CopyOrder,
	copySnapshot,
} from "../../../src/daemon/backup/copy.js";
import { copyName, partName } from "../../../src/daemon/backup/copy-names.js";
import { snapshotName } from "../../../src/storage/snapshots/place.js";
import { verifySnapshotFile } from "../../../src/storage/snapshots/verify.js";
import { FakeDisk } from "../../fakes/fake-disk.js";
import {
	contentOf,
	descriptionOf,
	isCrash,
	openOn,
	write,
} from "../../storage/snapshots/samples.js";
import { backups, contextOn, owner, snapshotAt } from "./copies.js";

let disk: FakeDisk;

beforeEach(() => {
	disk = new FakeDisk(1);
	disk.makeDirectory(backups);
});

const copy = (order: CopyOrder) => copySnapshot(order, contextOn(disk));
const names = () => disk.list(backups).sort();
const pathOf = (index: number) => `${backups}/${copyName(owner, index)}`;

describe("a copy of a snapshot", () => {
	it("has the bytes of the snapshot, and survives a power failure", async () => {
		const order = snapshotAt(disk, 7);
		const { file, bytes } = await copy(order);
		expect(file).toBe("/backups/shop-7.snapshot");
		disk.crash();
		expect(names()).toEqual(["shop-7.snapshot"]);
		expect(disk.bytes(file)).toEqual(disk.bytes(order.source));
		expect(bytes).toBe(disk.bytes(file).length);
	});

	it("is whole or not there, wherever the power fails", async () => {
		const order = snapshotAt(disk, 7);
		const begun = disk.operations;
		await copySnapshot(order, contextOn(disk.copy(1)));
		const trial = disk.copy(2);
		const before = trial.operations;
		await copySnapshot(order, contextOn(trial));
		const changes = trial.operations - before;
		expect(changes).toBeGreaterThan(4);
		expect(disk.operations).toBe(begun);
		for (let at = 1; at <= changes; at += 1) {
			const failing = disk.copy(100 + at);
			failing.crashAfter(at);
			const error = await copySnapshot(order, contextOn(failing)).then(
				() => null,
				(reason) => reason,
			);
			expect(isCrash(error)).toBe(true);
			failing.crash();
			if (failing.list(backups).includes("shop-7.snapshot"))
				expect(verifySnapshotFile(pathOf(7), failing).ok).toBe(true);
			// The next try cleans up, and comes to its end.
			await copySnapshot(order, contextOn(failing));
			expect(failing.list(backups)).toEqual(["shop-7.snapshot"]);
		}
	});

	it("of a damaged snapshot is not made, and the fault tells file and offset", async () => {
		const order = snapshotAt(disk, 7);
		disk.flip(order.source, disk.bytes(order.source).length - 120, 3);
		await expect(copy(order)).rejects.toThrow(
			/^the snapshot \/data\/snapshots\/\S+ on n1 is damaged: .+, at offset \d+$/,
		);
		expect(names()).toEqual([]);
	});

	it("that is there from an earlier try is used again", async () => {
		const order = snapshotAt(disk, 7);
		await copy(order);
		const before = disk.operations;
		expect(await copy(order)).toMatchObject({ file: pathOf(7) });
		expect(disk.operations).toBe(before);
	});

	it("that was damaged since is written anew", async () => {
		const order = snapshotAt(disk, 7);
		await copy(order);
		disk.flip(pathOf(7), 300, 1);
		await copy(order);
		expect(disk.bytes(pathOf(7))).toEqual(disk.bytes(order.source));
	});

	it("does not take the place of another cluster's file", async () => {
		const order = snapshotAt(disk, 7);
		await copy(order);
		const theirs = disk.bytes(pathOf(7));
		const ours = { ...order, owner: { ...owner, clusterId: "another" } };
		await expect(copy(ours)).rejects.toThrow(
			"/backups/shop-7.snapshot on n1 is another cluster's: give each cluster a directory of its own",
		);
		expect(disk.bytes(pathOf(7))).toEqual(theirs);
	});

	it("that is given up half-way leaves nothing", async () => {
		const order = snapshotAt(disk, 7);
		const stop = new AbortController();
		const context = {
			...contextOn(disk, stop.signal),
			onProgress: () => stop.abort(new Error("no longer leads")),
		};
		await expect(copySnapshot(order, context)).rejects.toThrow(
			"no longer leads",
		);
		expect(names()).toEqual([]);
	});
});

describe("a directory that fails", () => {
	it("because it is full is said to be, and what is in it stays", async () => {
		await copy(snapshotAt(disk, 7));
		const order = snapshotAt(disk, 8);
		let used = 0;
		for (const directory of ["/data/snapshots", backups])
			for (const name of disk.list(directory))
				used += disk.bytes(`${directory}/${name}`).length;
		disk.capacityBytes = used + 100;
		await expect(copy(order)).rejects.toThrow(
			"the disk of /backups on n1 is full: one more copy needs room beside those that are kept",
		);
		expect(names()).toEqual(["shop-7.snapshot"]);
		disk.capacityBytes = Number.POSITIVE_INFINITY;
		await copy(order);
		expect(names()).toEqual(["shop-7.snapshot", "shop-8.snapshot"]);
	});

	it("because it is not there is not made, and said to be missing", async () => {
		const order = snapshotAt(disk, 7, { directory: "/mnt/backups" });
		await expect(copy(order)).rejects.toThrow(
			"/mnt/backups is not there on n1: make it on every node, for the user that raftd runs as",
		);
		expect(disk.list("/mnt/backups")).toEqual([]);
	});

	it("because it cannot be synced leaves no copy", async () => {
		const order = snapshotAt(disk, 7);
		disk.failSyncs(1);
		await expect(copy(order)).rejects.toThrow(
			"no copy could be written to /backups on n1",
		);
		expect(names()).toEqual([]);
	});
});

describe("old copies", () => {
	it("go when newer ones are there", async () => {
		for (const index of [7, 9, 10, 100, 1000])
			await copy(snapshotAt(disk, index));
		expect(names()).toEqual(
			["shop-10.snapshot", "shop-100.snapshot", "shop-1000.snapshot"].sort(),
		);
	});

	it("stay while the newer one is not whole", async () => {
		for (const index of [7, 9, 10]) await copy(snapshotAt(disk, index));
		const order = snapshotAt(disk, 11);
		disk.failWrites(1);
		await expect(copy(order)).rejects.toThrow();
		expect(names()).toContain("shop-7.snapshot");
	});

	it("of others, and what nobody knows, stay for ever", async () => {
		const twin = { ...owner, clusterId: "twin" };
		const strangers = [
			...["shop-3.snapshot", "shop-1-3.snapshot", "notes.txt"],
			...["shop-4.snapshot.bak", partName(twin, 5)],
			...[partName({ ...owner, node: "n2" }, 50)],
		];
		for (const name of strangers) {
			const file = disk.create(`${backups}/${name}`);
			file.writeAt(Buffer.from("not one of ours"), 0);
			file.close();
		}
		for (const index of [7, 8, 9, 10])
			await copy(snapshotAt(disk, index, { keep: 1 }));
		expect(names()).toEqual([...strangers, "shop-10.snapshot"].sort());
	});

	it("of a cluster of the same name stay, too, and are not counted", async () => {
		for (const index of [20, 21]) await copy(snapshotAt(disk, index));
		const theirs = names();
		const clusterId = "restored";
		const own = { ...owner, clusterId };
		const directory = "/data/restored";
		for (const index of [30, 31, 32]) {
			const { snapshots } = openOn(disk, { directory, clusterId });
			const description = descriptionOf(index, { clusterId });
			const manifest = write(snapshots, description, contentOf(100));
			const name = snapshotName(index, manifest.id);
			const source = `${directory}/${name}`;
			await copy({
				...{ owner: own, index, source, directory: backups, keep: 2 },
				maxBytesPerSecond: 1e12,
			});
		}
		expect(names()).toEqual(
			[...theirs, "shop-31.snapshot", "shop-32.snapshot"].sort(),
		);
	});

	it("that were begun and will not be ended are removed", async () => {
		for (const node of ["n1", "n2"])
			disk.create(`${backups}/${partName({ ...owner, node }, 6)}`).close();
		disk.create(`${backups}/${partName(owner, 9)}`).close();
		await copy(snapshotAt(disk, 7));
		expect(names()).toEqual(["shop-7.snapshot"]);
	});
});
