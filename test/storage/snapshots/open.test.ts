import { createHash } from "node:crypto";
import {
	readdirSync,
	readFileSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from "node:fs";
import { open as openFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { OperatorError } from "../../../src/errors.js";
import { realDisk } from "../../../src/storage/real-disk.js";
import { maxInFlightBytes } from "../../../src/storage/snapshots/client.js";
import {
	openSnapshotStore,
	openSnapshotsInThread,
} from "../../../src/storage/snapshots/open.js";
import type {
	SnapshotManifest,
	SnapshotStore,
} from "../../../src/storage/snapshots/snapshot-store.js";
import { verifySnapshotFile } from "../../../src/storage/snapshots/verify.js";
import { FakeDisk } from "../../fakes/fake-disk.js";
import { FullPool } from "../full-pool.js";
import { compiled, sources, temporaryDirectory } from "../worker-file.js";
import { contentOf, descriptionOf, place } from "./samples.js";

const mebibyte = 1024 * 1024;
const { clusterId, nodeId } = place;
let workerUrl: URL;

beforeAll(async () => {
	workerUrl = await compiled(join(sources, "snapshots/worker.ts"));
});

function open(directory: string, threaded: boolean) {
	return openSnapshotStore({
		...{ directory, clusterId, nodeId },
		...(threaded ? { workerUrl } : {}),
	});
}

function freshDirectory(): string {
	return join(temporaryDirectory(), "snapshots");
}

async function write(
	store: SnapshotStore,
	index: number,
	pieces: readonly Uint8Array[],
): Promise<SnapshotManifest> {
	const writer = await store.create(descriptionOf(index));
	for (const piece of pieces) await writer.write(Uint8Array.from(piece));
	return writer.finish();
}

async function read(store: SnapshotStore, index: number): Promise<Buffer> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of store.read(index)) chunks.push(chunk);
	return Buffer.concat(chunks);
}

function pathOf(directory: string, { index, id }: SnapshotManifest): string {
	return join(directory, `${String(index).padStart(20, "0")}-${id}.snapshot`);
}

for (const threaded of [true, false]) {
	describe(`the snapshots on ${threaded ? "their own" : "the caller's"} thread, on a real disk`, () => {
		it("are written, listed, read, sent, received, found again and pruned", async () => {
			const directories = [freshDirectory(), freshDirectory()] as const;
			const [a, b] = await Promise.all(
				directories.map((directory) => open(directory, threaded)),
			);
			if (a === undefined || b === undefined) throw new Error("unreachable");
			expect([a.repaired, a.store.list()]).toEqual([[], []]);
			const pieces = [1, 700_000, 2_500_000, 64].map((bytes) =>
				contentOf(bytes),
			);
			const content = Buffer.concat(pieces);
			const manifest = await write(a.store, 7, pieces);
			expect(manifest).toMatchObject({
				...descriptionOf(7),
				contentBytes: content.length,
				sha256: createHash("sha256").update(content).digest("hex"),
			});
			expect(a.store.list()).toEqual([manifest]);
			expect((await read(a.store, 7)).equals(content)).toBe(true);
			await send(a.store, b.store, 7);
			expect(b.store.list()).toEqual([manifest]);
			await write(b.store, 9, [contentOf(10)]);
			await b.store.prune(1);
			expect(b.store.list().map(({ index }) => index)).toEqual([9]);
			expect(readdirSync(directories[1])).toHaveLength(1);
			await Promise.all([a.store.close(), b.store.close()]);
			const again = await open(directories[0], threaded);
			expect([again.repaired, again.store.list()]).toEqual([[], [manifest]]);
			expect((await read(again.store, 7)).equals(content)).toBe(true);
			await again.store.close();
			const path = pathOf(directories[0], manifest);
			expect(verifySnapshotFile(path, realDisk)).toEqual({
				...{ manifest, ok: true, problems: [] },
			});
		});

		it("are received on behind a break, also by the next process", async () => {
			const directory = freshDirectory();
			const a = (await open(freshDirectory(), threaded)).store;
			const manifest = await write(a, 7, [contentOf(3 * mebibyte)]);
			const file = await a.open(7);
			const first = (await open(directory, threaded)).store;
			const receiver = await first.receive(manifest);
			expect(receiver.offset).toBe(0);
			const half = await file?.readAt(0, 2 * mebibyte);
			await receiver.write(half as Uint8Array);
			await receiver.suspend();
			await first.close();
			const [partial = ""] = readdirSync(directory);
			truncateSync(join(directory, partial), 1.5 * mebibyte);
			const second = (await open(directory, threaded)).store;
			const resumed = await second.receive(manifest);
			expect(resumed.offset).toBeGreaterThan(mebibyte);
			expect(resumed.offset).toBeLessThan(1.01 * mebibyte);
			const rest = await file?.readAt(resumed.offset, 3 * mebibyte);
			await resumed.write(rest as Uint8Array);
			expect(await resumed.finish()).toEqual(manifest);
			await file?.close();
			await Promise.all([a.close(), second.close()]);
		});

		it("tell what is wrong as errors for people, and go on", async () => {
			const directory = freshDirectory();
			const { store } = await open(directory, threaded);
			const older = await write(store, 6, [contentOf(100)]);
			const manifest = await write(store, 7, [contentOf(2 * mebibyte)]);
			const path = pathOf(directory, manifest);
			const bytes = readFileSync(path);
			bytes[bytes.length - 1000] = (bytes[bytes.length - 1000] as number) ^ 1;
			writeFileSync(path, bytes);
			const reading = read(store, 7);
			await expect(reading).rejects.toBeInstanceOf(OperatorError);
			await expect(reading).rejects.toMatchObject({
				node: nodeId,
				message: expect.stringMatching(
					/chunk 1 is damaged, in .*\.snapshot at offset \d+$/,
				),
			});
			expect(store.list()).toEqual([older]);
			await expect(store.receive({ ...older, id: ".." })).rejects.toThrow(
				OperatorError,
			);
			await expect(store.prune(0)).rejects.toThrow("one snapshot must remain");
			expect(await store.open(7)).toBeNull();
			expect(await read(store, 6)).toHaveLength(100);
			rmSync(path);
			writeFileSync(path, bytes.subarray(0, 1000));
			writeFileSync(join(directory, `${"a".repeat(32)}.tmp`), "");
			await store.close();
			const again = await open(directory, threaded);
			expect(again.store.list()).toEqual([older]);
			expect(again.repaired).toEqual([
				expect.stringContaining("was never finished and is removed"),
				expect.stringContaining("is left as it is and not used"),
			]);
			await again.store.close();
		});

		it("can be read while one is written and another received, and a reader may stop early", async () => {
			const { store } = await open(freshDirectory(), threaded);
			const content = contentOf(5 * mebibyte);
			await write(store, 1, [content]);
			const writer = await store.create(descriptionOf(2));
			await writer.write(contentOf(2 * mebibyte));
			for await (const chunk of store.read(1)) {
				expect(chunk).toHaveLength(mebibyte);
				break;
			}
			expect((await read(store, 1)).equals(content)).toBe(true);
			await expect(store.create(descriptionOf(3))).rejects.toThrow(
				"a snapshot is being written already",
			);
			await writer.abort();
			await write(store, 3, [contentOf(10)]);
			await store.prune(1);
			expect(store.list().map(({ index }) => index)).toEqual([3]);
			await store.close();
		});

		it("refuse everything once they are closed, and end what was begun", async () => {
			const directory = freshDirectory();
			const { store } = await open(directory, threaded);
			const manifest = await write(store, 1, [contentOf(1000)]);
			const writer = await store.create(descriptionOf(2));
			await writer.write(contentOf(1000));
			const receiver = await store.receive({
				...manifest,
				id: "b".repeat(32),
			});
			const file = await store.open(1);
			await Promise.all([store.close(), store.close()]);
			const refused = await Promise.allSettled([
				writer.finish(),
				receiver.write(new Uint8Array(1)),
				file?.readAt(0, 1),
				store.open(1),
				store.create(descriptionOf(3)),
				read(store, 1),
			]);
			for (const outcome of refused)
				expect(outcome).toMatchObject({
					status: "rejected",
					reason: { message: "the snapshots are closed" },
				});
			await Promise.all([writer.abort(), receiver.suspend(), file?.close()]);
			expect(readdirSync(directory).sort()).toEqual([
				expect.stringMatching(/\.snapshot$/),
				`${"b".repeat(32)}.part`,
			]);
		});
	});
}

/** As the peers do it, in pieces that do not match the chunks. */
async function send(
	from: SnapshotStore,
	to: SnapshotStore,
	index: number,
): Promise<void> {
	const file = await from.open(index);
	if (file === null) throw new Error("there is no such snapshot");
	const receiver = await to.receive(file.manifest);
	let at = receiver.offset;
	while (at < file.manifest.fileBytes) {
		const piece = await file.readAt(at, 300_000);
		at += piece.length;
		await receiver.write(piece);
	}
	await receiver.finish();
	await file.close();
}

describe("what is handed to the snapshots' thread", () => {
	it("is taken over without a copy when it is a whole buffer, and copied when it is a part of one", async () => {
		const { store } = await open(freshDirectory(), true);
		const writer = await store.create(descriptionOf(1));
		const whole = contentOf(mebibyte).buffer.slice(0);
		await writer.write(new Uint8Array(whole));
		expect(whole.byteLength).toBe(0);
		const pool = Buffer.alloc(1000, 7);
		await writer.write(pool.subarray(10, 20));
		expect(pool).toHaveLength(1000);
		// From Node's own pool, where other buffers live.
		const pooled = Buffer.from("pooled");
		await writer.write(pooled);
		expect(pooled.toString()).toBe("pooled");
		await writer.finish();
		expect((await read(store, 1)).subarray(mebibyte).toString()).toBe(
			`${"\u0007".repeat(10)}pooled`,
		);
		await store.close();
	});

	it("waits for room beyond a few megabytes, so that nothing piles up", async () => {
		const { store } = await open(freshDirectory(), false);
		const writer = await store.create(descriptionOf(1));
		const settled: number[] = [];
		for (let at = 1; at < maxInFlightBytes / mebibyte; at += 1)
			await writer.write(new Uint8Array(mebibyte)).then(() => settled.push(at));
		expect(settled).toHaveLength(3);
		// On the caller's thread nothing is taken before the caller lets go of it.
		let room = false;
		const waiting = writer.write(new Uint8Array(mebibyte)).then(() => {
			room = true;
		});
		await Promise.resolve();
		expect(room).toBe(false);
		await expect(writer.write(new Uint8Array(1))).rejects.toThrow(
			"an earlier write still waits for room",
		);
		await waiting;
		await writer.write(new Uint8Array(1));
		expect(await writer.finish()).toMatchObject({
			contentBytes: maxInFlightBytes + 1,
		});
		await store.close();
	});

	it("fails at a later write, and at the end, when an earlier one failed", async () => {
		const disk = new FakeDisk(1);
		const { store } = await openSnapshotsInThread({ disk, ...place });
		const older = await write(store, 1, [contentOf(10)]);
		disk.capacityBytes = older.fileBytes + 3 * mebibyte;
		const writer = await store.create(descriptionOf(2));
		const writing = (async () => {
			for (let at = 1; at <= 50; at += 1)
				await writer.write(new Uint8Array(mebibyte));
		})();
		await expect(writing).rejects.toThrow(/^the disk is full: no room/);
		await expect(writer.finish()).rejects.toBeInstanceOf(OperatorError);
		await writer.abort();
		expect(disk.list(place.directory)).toHaveLength(1);
		expect(store.list()).toEqual([older]);
		const last = await store.create(descriptionOf(3));
		await last.write(new Uint8Array(10));
		disk.failSyncs(1);
		await expect(last.finish()).rejects.toThrow("could not be written");
		expect(disk.list(place.directory)).toHaveLength(1);
		await store.close();
	});
});

describe("the snapshots' thread", () => {
	it("that cannot begin rejects the opening with the reason", async () => {
		const path = join(temporaryDirectory(), "a-file");
		writeFileSync(path, "");
		await expect(open(join(path, "snapshots"), true)).rejects.toMatchObject({
			code: "ENOTDIR",
		});
	});

	it("that ends by itself ends every call, and not the process", async () => {
		const program = join(import.meta.dirname, "ending-worker.ts");
		const { store } = await openSnapshotStore({
			...{ directory: freshDirectory(), clusterId, nodeId },
			workerUrl: await compiled(program),
		});
		await expect(store.prune(1)).rejects.toThrow("the end");
		await expect(store.create(descriptionOf(1))).rejects.toThrow("the end");
		await store.close();
	});

	it("writes and reads while the libuv pool is full, as it does not use it (P67)", async () => {
		const { store } = await open(freshDirectory(), true);
		const pool = new FullPool();
		const file = await openFile(join(temporaryDirectory(), "file"), "w");
		const sync = await pool.endedDuring(() => file.datasync());
		expect(sync).toBeGreaterThanOrEqual(FullPool.waiting);
		const rounds = 20;
		const ended = await pool.endedDuring(async () => {
			for (let index = 1; index <= rounds; index += 1) {
				await write(store, index, [contentOf(100)]);
				await read(store, index);
				await store.prune(1);
			}
		});
		expect(ended).toBeLessThan(rounds * FullPool.waiting);
		await pool.empty();
		await file.close();
		await store.close();
	});
});
