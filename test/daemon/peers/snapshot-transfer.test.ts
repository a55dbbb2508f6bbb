import { randomBytes, randomUUID } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Peers } from "../../../src/daemon/peers/peers.js";
import { openSnapshotsInThread } from "../../../src/storage/snapshots/open.js";
import type { SnapshotStore } from "../../../src/storage/snapshots/snapshot-store.js";
import { encodeHello } from "../../../src/wire/peer-handshake.js";
import { encodeSnapshotFrame } from "../../../src/wire/snapshot-frames.js";
import { type Cut, CuttingProxy } from "../../fakes/cutting-proxy.js";
import { FakeDisk } from "../../fakes/fake-disk.js";
import { freePorts, until } from "../../fakes/loopback-cluster.js";

const clusterId = randomUUID();
const mebibyte = 1024 * 1024;
const chunkBytes = mebibyte;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

class Side {
	readonly peers: Peers;
	readonly disk: FakeDisk;
	readonly store: SnapshotStore;
	readonly address: string;
	readonly diagnoses: { message: string; fields: unknown }[] = [];

	static async open(
		nodeId: string,
		own: { bytesPerSecond?: number; stallMs?: number } = {},
	): Promise<Side> {
		const [port] = (await freePorts(1)) as [number];
		const disk = new FakeDisk(port);
		const { store } = await openSnapshotsInThread({
			...{ disk, directory: "/snapshots", clusterId, nodeId },
		});
		const side = new Side(nodeId, `127.0.0.1:${port}`, {
			...{ disk, store, ...own },
		});
		await side.peers.open(performance.now());
		return side;
	}

	private constructor(
		nodeId: string,
		address: string,
		own: {
			disk: FakeDisk;
			store: SnapshotStore;
			bytesPerSecond?: number;
			stallMs?: number;
		},
	) {
		this.address = address;
		this.disk = own.disk;
		this.store = own.store;
		const known = new Map<string, string>();
		this.peers = new Peers({
			self: {
				...{ clusterId, nodeId, incarnation: `${nodeId}-first` },
				levels: { readsFrom: 1, readsTo: 1, writes: 1 },
			},
			...{ listen: address, store: own.store, maxQueuedBytes: mebibyte },
			incarnations: {
				known: (id) => known.get(id) ?? null,
				learn: (id, incarnation) => void known.set(id, incarnation),
			},
			diagnose: (_level, message, fields) =>
				this.diagnoses.push({ message, fields }),
			writeLevel: () => ({ level: 1, release: "" }),
			maxSnapshotBytesPerSecond: own.bytesPerSecond ?? 1e9,
			snapshotStallMs: own.stallMs ?? 2000,
			events: {
				onMessage() {},
				onForward() {},
				onOutcomes() {},
				onSnapshotDamaged() {},
				onConnected() {},
				onBroken() {},
			},
		});
		const ticker = setInterval(() => this.peers.tick(performance.now()), 10);
		closing.push(async () => {
			clearInterval(ticker);
			await this.peers.close();
		});
	}
}

async function save(store: SnapshotStore, index: number, bytes: number) {
	const writer = await store.create({
		...{ clusterId, index, term: 2, machine: "kv", level: 1 },
		...{ release: "test", createdAtMs: 0 },
		configuration: {
			index: 1,
			configuration: {
				...{ voters: ["n1"], outgoing: [], learners: [], addresses: {} },
			},
		},
	});
	for (let left = bytes; left > 0; left -= mebibyte)
		await writer.write(randomBytes(Math.min(left, mebibyte)));
	return await writer.finish();
}

/** n1 has a snapshot; n2 reaches n1 through a network that breaks. The first connection is the link. */
async function pair(
	cuts: readonly Cut[],
	own: { bytesPerSecond?: number; stallMs?: number } = {},
) {
	const from = await Side.open("n1", own);
	const to = await Side.open("n2", own);
	const whole: Cut = { direction: "down", afterBytes: 1e12 };
	const proxy = await new CuttingProxy(from.address, [whole, ...cuts]).start();
	closing.push(() => proxy.stop());
	to.peers.setMembers(new Map([["n1", [proxy.address]]]));
	await until("the link", () => proxy.accepted > 0);
	return { from, to, proxy };
}

const fetch = (to: Side, index: number) => to.peers.fetchSnapshot("n1", index);

describe("a snapshot that is fetched", () => {
	it("arrives whole, and is as good as the sender's", async () => {
		const { from, to } = await pair([]);
		const manifest = await save(from.store, 7, 3 * mebibyte + 17);
		expect(await fetch(to, 7)).toEqual(manifest);
		expect(to.store.list()).toEqual([manifest]);
		expect(to.peers.counters.snapshotBytesRead).toBe(manifest.fileBytes);
		expect(from.peers.counters.snapshotBytesSent).toBe(manifest.fileBytes);
		expect(await to.store.open(7)).not.toBeNull();
	});

	it("goes on where it broke, wherever that was, and sends at most one chunk again", async () => {
		const cuts = [100, 700_000, 3 * mebibyte, 1_500_000, 2 * mebibyte + 5].map(
			(afterBytes) => ({ direction: "down", afterBytes }) as const,
		);
		const { from, to, proxy } = await pair(cuts);
		const manifest = await save(from.store, 7, 9 * mebibyte + 17);
		let broken = 0;
		let fetched = null;
		while (fetched === null) {
			fetched = await fetch(to, 7).catch(() => {
				broken++;
				return null;
			});
		}
		expect(broken).toBe(cuts.length);
		expect(proxy.accepted).toBe(1 + cuts.length + 1);
		expect(fetched).toEqual(manifest);
		expect(to.peers.counters.snapshotBytesRead).toBeLessThanOrEqual(
			manifest.fileBytes + cuts.length * chunkBytes,
		);
	});

	it("is no longer there: nobody waits for it", async () => {
		const { from, to } = await pair([]);
		await save(from.store, 7, 100);
		expect(await fetch(to, 6)).toBeNull();
		expect(await to.peers.fetchSnapshot("n9", 7)).toBeNull();
	});

	it("may take far longer than the limit for silence, while it moves on (P65)", async () => {
		const own = { bytesPerSecond: 400_000, stallMs: 1000 };
		const { from, to } = await pair([], own);
		const manifest = await save(from.store, 7, 1_100_000);
		const sinceMs = performance.now();
		expect(await fetch(to, 7)).toEqual(manifest);
		expect(performance.now() - sinceMs).toBeGreaterThan(2 * own.stallMs);
	});

	it("is sent in pieces so small that even the slowest allowed pace is no silence (P65)", async () => {
		const own = { bytesPerSecond: 1000, stallMs: 1500 };
		const { from, to } = await pair([], own);
		const manifest = await save(from.store, 7, 2500);
		expect(await fetch(to, 7)).toEqual(manifest);
	});

	it("from a sender that says nothing any more ends after the limit, and what came is kept", async () => {
		const { from, to, proxy } = await pair([], { stallMs: 400 });
		await save(from.store, 7, 6 * mebibyte);
		const fetching = fetch(to, 7).catch((error: Error) => error.message);
		await until(
			"a first part",
			() => to.peers.counters.snapshotBytesRead > mebibyte,
		);
		proxy.stallAll();
		expect(await fetching).toMatch(/nothing came for 400 ms/);
		expect(to.disk.list("/snapshots")).toHaveLength(1);
	});

	it("ends when the node stops, at once", async () => {
		const { from, to } = await pair([], { bytesPerSecond: 1000 });
		await save(from.store, 7, mebibyte);
		const fetching = fetch(to, 7).catch(() => "ended");
		await until("a beginning", () => to.peers.counters.snapshotBytesRead > 0);
		await to.peers.close();
		expect(await fetching).toBe("ended");
	});

	it("onto a full disk is refused with a sentence, and can be fetched later", async () => {
		const { from, to } = await pair([]);
		const manifest = await save(from.store, 7, 3 * mebibyte);
		to.disk.capacityBytes = mebibyte;
		await expect(fetch(to, 7)).rejects.toThrow("the disk is full");
		to.disk.capacityBytes = Number.POSITIVE_INFINITY;
		expect(await fetch(to, 7)).toEqual(manifest);
	});

	it("with a flipped bit is found out, and only that part is fetched again", async () => {
		const { from, to } = await pair([]);
		const manifest = await save(from.store, 7, 4 * mebibyte);
		const [name] = from.disk.list("/snapshots") as [string];
		const path = `/snapshots/${name}`;
		const good = Buffer.from(from.disk.bytes(path));
		from.disk.flip(path, 2_500_000, 3);
		await expect(fetch(to, 7)).rejects.toThrow("is refused");
		const before = to.peers.counters.snapshotBytesRead;
		from.disk.overwrite(path, good);
		expect(await fetch(to, 7)).toEqual(manifest);
		expect(to.peers.counters.snapshotBytesRead - before).toBeLessThan(
			3 * mebibyte,
		);
	});
});

describe("whoever asks for a snapshot", () => {
	async function asks(target: Side): Promise<Socket> {
		const [host, port] = target.address.split(":") as [string, string];
		const socket = connect({ host, port: Number(port) });
		closing.push(async () => socket.destroy());
		socket.on("error", () => {});
		const hello = encodeHello({
			...{ oldestVersion: 1, newestVersion: 1, clusterId },
			...{ from: "n9", incarnation: "i", to: "n1", purpose: "snapshot" },
			levels: { readsFrom: 1, readsTo: 1, writes: 1 },
		});
		const welcomed = new Promise((resolve) => socket.once("data", resolve));
		socket.write(hello);
		await welcomed;
		socket.write(encodeSnapshotFrame({ type: "request", index: 7 }));
		return socket;
	}

	const ended = (socket: Socket) =>
		new Promise<void>((resolve) => socket.once("close", () => resolve()));

	it("and then reads nothing is given up after the limit, and its file is free again (P65)", async () => {
		const side = await Side.open("n1", { stallMs: 400 });
		await save(side.store, 7, 40 * mebibyte);
		const socket = await asks(side);
		socket.write(encodeSnapshotFrame({ type: "from", offset: 0 }));
		socket.pause();
		await until("the end of it", () =>
			side.diagnoses.some(({ message }) => message.includes("not sent whole")),
		);
		const { snapshotBytesSent } = side.peers.counters;
		expect(snapshotBytesSent).toBeLessThan(40 * mebibyte);
		await save(side.store, 8, 100);
		await save(side.store, 9, 100);
		await side.store.prune(2);
		expect(side.disk.list("/snapshots")).toHaveLength(2);
	});

	it("for a place behind its end, or in other words, is shown the door", async () => {
		const side = await Side.open("n1");
		const { fileBytes } = await save(side.store, 7, 1000);
		const beyond = await asks(side);
		const offset = fileBytes + 1;
		beyond.write(encodeSnapshotFrame({ type: "from", offset }));
		await ended(beyond);
		const babbling = await asks(side);
		babbling.write(Buffer.from([3, 0, 0, 0, 99, 1, 2]));
		await ended(babbling);
		expect(side.peers.counters.snapshotBytesSent).toBe(0);
	});

	it("is one of four at a time; more are asked to come back", async () => {
		const side = await Side.open("n1");
		await save(side.store, 7, 1000);
		for (let count = 0; count < 4; count++) await asks(side);
		const [host, port] = side.address.split(":") as [string, string];
		const fifth = connect({ host, port: Number(port) });
		fifth.on("error", () => {});
		fifth.write(
			encodeHello({
				...{ oldestVersion: 1, newestVersion: 1, clusterId },
				...{ from: "n9", incarnation: "i", to: "n1", purpose: "snapshot" },
				levels: { readsFrom: 1, readsTo: 1, writes: 1 },
			}),
		);
		fifth.resume();
		await ended(fifth);
	});
});

describe("a sender that lies", () => {
	/** Welcomes whoever comes, and then says these words. */
	async function liar(words: readonly Buffer[]): Promise<string> {
		const { encodeWelcome } = await import(
			"../../../src/wire/peer-handshake.js"
		);
		const server: Server = createServer((socket) => {
			socket.on("error", () => {});
			socket.once("data", () => {
				const nodeId = "n1";
				socket.write(
					encodeWelcome({ version: 1, nodeId, incarnation: "liar" }),
				);
				socket.once("data", () => {
					for (const word of words) socket.write(word);
				});
			});
		});
		await new Promise<void>((resolve) =>
			server.listen(0, "127.0.0.1", resolve),
		);
		closing.push(async () => server.close());
		return `127.0.0.1:${(server.address() as { port: number }).port}`;
	}

	it.each([
		[
			"gives another snapshot than was asked for",
			[
				encodeSnapshotFrame({
					...{ type: "head", index: 9, fileBytes: 500 },
					id: "0".repeat(32),
				}),
			],
		],
		[
			"names no possible file",
			[
				encodeSnapshotFrame({
					...{ type: "head", index: 7, fileBytes: 5, id: "0".repeat(32) },
				}),
			],
		],
		["says something else", [encodeSnapshotFrame({ type: "from", offset: 1 })]],
		["promises a frame without end", [Buffer.from([255, 255, 255, 127, 45])]],
	])("%s: nothing of it is kept", async (_, words) => {
		const to = await Side.open("n2", { stallMs: 500 });
		const address = await liar(words);
		to.peers.setMembers(new Map([["n1", [address]]]));
		await expect(fetch(to, 7)).rejects.toThrow();
		expect(to.disk.list("/snapshots")).toEqual([]);
	});
});
