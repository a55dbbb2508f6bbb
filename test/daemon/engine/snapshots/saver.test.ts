import { describe, expect, it } from "vitest";
import { saveSnapshot } from "../../../../src/daemon/engine/snapshots/saver.js";
import { openSnapshotsInThread } from "../../../../src/storage/snapshots/open.js";
import type {
	SnapshotDescription,
	SnapshotStore,
} from "../../../../src/storage/snapshots/snapshot-store.js";
import { FakeDisk } from "../../../fakes/fake-disk.js";

const description: SnapshotDescription = {
	...{ clusterId: "c", index: 7, term: 2, machine: "kv", level: 1 },
	...{ release: "test", createdAtMs: 0 },
	configuration: {
		index: 1,
		configuration: {
			...{ voters: ["n1"], outgoing: [], learners: [], addresses: {} },
		},
	},
};
const open = async (disk: FakeDisk) =>
	await openSnapshotsInThread({
		...{ disk, directory: "/data/snapshots", clusterId: "c", nodeId: "n1" },
	});
const unhurried = {
	bytesPerSecond: () => 1e12,
	isCancelled: () => false,
};
const pieces = (count: number, bytes: number) =>
	Array.from({ length: count }, (_, at) => new Uint8Array(bytes).fill(at));

async function contentOf(store: SnapshotStore, index: number) {
	const chunks: Uint8Array[] = [];
	for await (const chunk of store.read(index)) chunks.push(chunk);
	return Buffer.concat(chunks);
}

describe("saving a snapshot", () => {
	it("writes all pieces in order, and lets the event loop turn meanwhile", async () => {
		const { store } = await open(new FakeDisk(1));
		let turns = 0;
		const ticker = setInterval(() => turns++, 0);
		const chunks = pieces(40, 1000);
		const content = Buffer.concat(chunks);
		function* slowly() {
			for (const chunk of chunks) {
				const untilMs = performance.now() + 1;
				while (performance.now() < untilMs);
				yield chunk;
			}
		}
		const source = { ...unhurried, chunks: slowly() };
		const manifest = await saveSnapshot(store, description, source);
		clearInterval(ticker);
		expect(manifest).toMatchObject({ index: 7, contentBytes: 40_000 });
		expect(await contentOf(store, 7)).toEqual(content);
		expect(turns).toBeGreaterThan(3);
	});

	it("leaves no file when the node stops, however slowly it goes", async () => {
		const disk = new FakeDisk(2);
		const { store } = await open(disk);
		let cancelled = false;
		setTimeout(() => {
			cancelled = true;
		}, 20);
		const saving = saveSnapshot(store, description, {
			chunks: pieces(3, 1000).values(),
			// The first piece alone takes a quarter of an hour.
			bytesPerSecond: () => 1,
			isCancelled: () => cancelled,
		});
		await expect(saving).rejects.toThrow("the node is stopping");
		expect(store.list()).toEqual([]);
		expect(disk.list("/data/snapshots")).toEqual([]);
	});

	it("leaves no file on a full disk, and the next attempt has room again", async () => {
		const disk = new FakeDisk(3);
		const { store } = await open(disk);
		disk.capacityBytes = 5000;
		const saving = saveSnapshot(store, description, {
			...unhurried,
			chunks: pieces(4, 1024 * 1024).values(),
		});
		await expect(saving).rejects.toThrow("the disk is full");
		expect(disk.list("/data/snapshots")).toEqual([]);
		disk.capacityBytes = Number.POSITIVE_INFINITY;
		const chunks = pieces(4, 1024).values();
		await saveSnapshot(store, description, { ...unhurried, chunks });
		expect(store.list()).toHaveLength(1);
	});

	it("passes on what the machine throws, and leaves no file", async () => {
		const disk = new FakeDisk(4);
		const { store } = await open(disk);
		function* failing() {
			yield new Uint8Array(10);
			throw new Error("the machine's mistake");
		}
		const source = { ...unhurried, chunks: failing() };
		await expect(saveSnapshot(store, description, source)).rejects.toThrow(
			"the machine's mistake",
		);
		expect(disk.list("/data/snapshots")).toEqual([]);
	});
});
