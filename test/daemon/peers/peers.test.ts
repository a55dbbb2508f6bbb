import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { Peers } from "../../../src/daemon/peers/peers.js";
import type { Message } from "../../../src/raft/types.js";
import type { SnapshotStore } from "../../../src/storage/snapshots/snapshot-store.js";
import type { ForwardFrame } from "../../../src/wire/forward-frames.js";
import { PeerFrameBatch } from "../../../src/wire/peer-frame-batch.js";
import {
	decodeGreeting,
	encodeHello,
} from "../../../src/wire/peer-handshake.js";
import { freePorts, until } from "../../fakes/loopback-cluster.js";

const clusterId = randomUUID();
const levels = { readsFrom: 1, readsTo: 2, writes: 2 };
const purpose = "messages";
/** Nobody here asks for a snapshot. */
const emptyStore = {} as SnapshotStore;

class Endpoint {
	readonly messages: Message[] = [];
	readonly forwards: { link: number; frame: ForwardFrame }[] = [];
	readonly broken: string[] = [];
	readonly diagnoses: string[] = [];
	readonly known = new Map<string, string>();
	readonly peers: Peers;
	readonly address: string;
	readonly nodeId: string;
	readonly #ticker: NodeJS.Timeout;

	constructor(
		nodeId: string,
		port: number,
		own: {
			clusterId?: string;
			incarnation?: string;
			queue?: number;
			writeLevel?: { level: number; release: string };
		} = {},
	) {
		this.nodeId = nodeId;
		this.address = `127.0.0.1:${port}`;
		this.peers = new Peers({
			self: {
				clusterId: own.clusterId ?? clusterId,
				nodeId,
				incarnation: own.incarnation ?? `${nodeId}-first`,
				levels,
			},
			writeLevel: () => own.writeLevel ?? { level: 1, release: "" },
			store: emptyStore,
			maxSnapshotBytesPerSecond: 1024 * 1024,
			listen: this.address,
			incarnations: {
				known: (id) => this.known.get(id) ?? null,
				learn: (id, incarnation) => void this.known.set(id, incarnation),
			},
			diagnose: (_level, message) => this.diagnoses.push(message),
			maxQueuedBytes: own.queue ?? 1024 * 1024,
			events: {
				onMessage: (message) => this.messages.push(message),
				onForward: (_from, link, frame) => this.forwards.push({ link, frame }),
				onOutcomes: () => {},
				onSnapshotDamaged: () => {},
				onConnected: () => {},
				onBroken: (peer, direction) => this.broken.push(`${direction} ${peer}`),
			},
		});
		this.#ticker = setInterval(() => {
			this.peers.tick(performance.now());
			this.peers.flush();
		}, 5);
	}

	async open(...members: Endpoint[]): Promise<this> {
		await this.peers.open(performance.now());
		this.knows(...members);
		return this;
	}

	knows(...members: Endpoint[]): void {
		this.peers.setMembers(
			new Map(members.map(({ nodeId, address }) => [nodeId, [address]])),
		);
	}

	async close(): Promise<void> {
		clearInterval(this.#ticker);
		await this.peers.close();
	}
}

const open: Endpoint[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
	for (const socket of sockets.splice(0)) socket.destroy();
	await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
});

function endpoint(...options: ConstructorParameters<typeof Endpoint>) {
	const made = new Endpoint(...options);
	open.push(made);
	return made;
}

async function pair(): Promise<[Endpoint, Endpoint]> {
	const [first, second] = (await freePorts(2)) as [number, number];
	const a = endpoint("n1", first);
	const b = endpoint("n2", second);
	await a.open(b);
	await b.open(a);
	await until("links", () => a.peers.connected()[0] && b.peers.connected()[0]);
	return [a, b];
}

/** A stranger's connection to `target`, and all that comes back on it. */
async function stranger(target: Endpoint, words: Buffer) {
	const [host, port] = target.address.split(":") as [string, string];
	const socket = connect({ host, port: Number(port) });
	sockets.push(socket);
	const heard: Buffer[] = [];
	socket.on("data", (chunk) => heard.push(chunk));
	socket.on("error", () => {});
	await once(socket, "connect");
	socket.write(words);
	return { socket, heard };
}

const heartbeat = (from: string, to: string): Message => ({
	...{ type: "heartbeat", from, to, term: 3, session: 1, commit: 2, read: 0 },
	stamp: 0,
	currentCommit: 0,
	currentStamp: 0,
});

describe("links between peers", () => {
	it("carry messages both ways once both nodes know each other", async () => {
		const [a, b] = await pair();
		a.peers.message(heartbeat("n1", "n2"), Buffer.alloc(0));
		b.peers.message(heartbeat("n2", "n1"), Buffer.alloc(0));
		await until("messages", () => a.messages[0] && b.messages[0]);
		expect(b.messages).toEqual([heartbeat("n1", "n2")]);
		expect(a.messages).toEqual([heartbeat("n2", "n1")]);
	});

	it("are dialled again when the peer comes back", async () => {
		const [a, b] = await pair();
		await b.close();
		open.splice(open.indexOf(b), 1);
		await until("the break", () => a.broken.length === 2);
		expect(new Set(a.broken)).toEqual(new Set(["to n2", "from n2"]));
		const again = endpoint("n2", Number(b.address.split(":")[1]), {
			incarnation: "n2-first",
		});
		await again.open(a);
		await until("the link", () => a.peers.isConnected("n2"));
	});

	it("refuse a node of another cluster, and say so once", async () => {
		const [first, second] = (await freePorts(2)) as [number, number];
		const a = endpoint("n1", first);
		const b = endpoint("n2", second, { clusterId: "elsewhere" });
		await a.open(b);
		await b.open(a);
		await until("refusals", () => a.peers.counters.refused > 2);
		expect(a.peers.connected()).toEqual([]);
		const said = a.diagnoses.filter((text) => text.includes("refused"));
		expect(said).toEqual([
			`refused a connection: n1 belongs to cluster ${clusterId}, n2 to elsewhere`,
		]);
		expect(
			b.diagnoses.filter((text) => text.startsWith("no link to n1")),
		).toHaveLength(1);
	});

	it("refuse a known node whose data directory is another one", async () => {
		const [a, b] = await pair();
		await b.close();
		open.splice(open.indexOf(b), 1);
		const wiped = endpoint("n2", Number(b.address.split(":")[1]), {
			incarnation: "n2-second",
		});
		await wiped.open(a);
		await until("a refusal", () => a.peers.counters.refused > 0);
		expect(a.peers.isConnected("n2")).toBe(false);
		expect(a.diagnoses.join("\n")).toContain(
			"n1 knows n2 as incarnation n2-first, not n2-second",
		);
		await until("the word of it", () => wiped.peers.troubles().length > 0);
		expect(wiped.peers.troubles()).toMatchObject([
			{ kind: "refused", peer: "n1", cause: "incarnation" },
		]);
	});

	it("name whoever dials from an address that is not known", async () => {
		const [first, second] = (await freePorts(2)) as [number, number];
		const a = endpoint("n1", first);
		const b = endpoint("n2", second);
		await a.open();
		await b.open(a);
		await until("a call", () => a.peers.troubles().length > 0);
		expect(a.peers.troubles()).toEqual([
			{ kind: "unknown-address", peer: "n2" },
		]);
		expect(a.diagnoses.join("\n")).toContain("say where n2 is");
		a.knows(b);
		await until("a link", () => a.peers.isConnected("n2"));
		expect(a.peers.troubles()).toEqual([]);
	});

	it("refuse to be taken for another node", async () => {
		const [first, second] = (await freePorts(2)) as [number, number];
		const a = endpoint("n1", first);
		const b = endpoint("n2", second);
		await a.open();
		await b.open();
		b.peers.setMembers(new Map([["n3", [a.address]]]));
		const said = await until("a refusal", () => b.diagnoses[0]);
		expect(said).toContain("no link to n3: this is n1, not n3");
	});

	it("are looked for at each address in turn, and kept when the addresses change (P62)", async () => {
		const [first, second, nobody] = (await freePorts(3)) as [
			...[number, number, number],
		];
		const a = endpoint("n1", first);
		const b = endpoint("n2", second);
		await a.open();
		await b.open(a);
		const old = `127.0.0.1:${nobody}`;
		a.peers.setMembers(new Map([["n2", [old, "h:99999", b.address]]]));
		await until("a link", () => a.peers.isConnected("n2"));
		const broken = a.broken.length;
		a.peers.setMembers(new Map([["n2", [b.address]]]));
		a.peers.setMembers(new Map([["n2", [old, b.address]]]));
		expect(a.peers.isConnected("n2")).toBe(true);
		expect(a.broken).toHaveLength(broken);
		a.peers.setMembers(new Map([["n2", [old]]]));
		expect(a.peers.isConnected("n2")).toBe(false);
		expect(a.broken.slice(broken)).toEqual(["to n2"]);
		a.peers.setMembers(new Map([["n2", [b.address]]]));
		await until("the link again", () => a.peers.isConnected("n2"));
	});

	it("refuse a node that cannot read what the cluster writes, and name the release (P61)", async () => {
		const [first, second] = (await freePorts(2)) as [number, number];
		const a = endpoint("n1", first, {
			writeLevel: { level: 3, release: "7.0.0" },
		});
		const b = endpoint("n2", second);
		await a.open(b);
		await b.open(a);
		const said = await until("a refusal", () =>
			b.diagnoses.find((text) => text.startsWith("no link to n1")),
		);
		expect(said).toContain(
			"writes level 3 of the entry format, n2 reads up to 2: it needs release 7.0.0",
		);
		expect(a.peers.connected()).toEqual([]);
		expect(a.peers.levelsOf("n2")).toBeNull();
	});

	it("tell the levels of whoever is connected, and of nobody else", async () => {
		const [a, b] = await pair();
		expect(a.peers.levelsOf("n2")).toEqual(levels);
		expect(a.peers.levelsOf("n3")).toBeNull();
		await b.close();
		open.splice(open.indexOf(b), 1);
		await until("the break", () => a.peers.levelsOf("n2") === null);
	});

	it("answer a hello with the cause when it is refused", async () => {
		const [a] = await pair();
		const { heard } = await stranger(
			a,
			encodeHello({
				...{ oldestVersion: 8, newestVersion: 9, clusterId },
				...{ from: "n9", incarnation: "i", to: "n1", levels, purpose },
			}),
		);
		await until("an answer", () => heard[0]);
		expect(decodeGreeting(Buffer.concat(heard).subarray(4))).toMatchObject({
			type: "refused",
			cause: "version",
		});
	});

	it.each([
		["garbage", Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")],
		["a frame that is too long", Buffer.from([255, 255, 255, 255, 1])],
		["an empty frame", Buffer.from([0, 0, 0, 0])],
	])(
		"close a connection that begins with %s, and count it",
		async (_, words) => {
			const [a, b] = await pair();
			const { socket, heard } = await stranger(a, words);
			await once(socket, "close");
			expect(heard).toEqual([]);
			expect(a.peers.counters.badFrames).toBe(1);
			expect(a.peers.isConnected("n2") && b.peers.isConnected("n1")).toBe(true);
		},
	);

	it("close a connection that breaks the protocol after its welcome", async () => {
		const [a] = await pair();
		const hello = encodeHello({
			...{ oldestVersion: 1, newestVersion: 1, clusterId },
			...{ from: "n9", incarnation: "i", to: "n1", levels, purpose },
		});
		const { socket, heard } = await stranger(a, hello);
		await until("a welcome", () => heard[0]);
		const batch = new PeerFrameBatch();
		batch.message(heartbeat("n9", "n1"), Buffer.alloc(0));
		const [good] = batch.take();
		socket.write(good?.bytes as Uint8Array);
		await until("the message", () => a.messages[0]);
		socket.write(Buffer.from([2, 0, 0, 0, 99, 1]));
		await once(socket, "close");
		expect(a.peers.counters.badFrames).toBe(1);
		expect(a.messages).toHaveLength(1);
	});

	it("take no word from a node that does not wait for its welcome", async () => {
		const [a] = await pair();
		const hello = encodeHello({
			...{ oldestVersion: 1, newestVersion: 1, clusterId },
			...{ from: "n9", incarnation: "i", to: "n1", levels, purpose },
		});
		const batch = new PeerFrameBatch();
		batch.message(heartbeat("n9", "n1"), Buffer.alloc(0));
		const early = batch.take().map(({ bytes }) => bytes);
		const { socket } = await stranger(a, Buffer.concat([hello, ...early]));
		await once(socket, "close");
		expect(a.messages).toEqual([]);
		expect(a.peers.counters.badFrames).toBe(1);
	});

	it("are dropped when the peer does not read and the queue is full", async () => {
		const [a, b] = await pair();
		const entries = [
			{ index: 1, term: 1, kind: 1, level: 1, data: Buffer.alloc(0) },
		] as const;
		const append: Message = {
			...{ type: "append-request", from: "n1", to: "n2", term: 3, session: 1 },
			...{ prevIndex: 0, prevTerm: 0, commit: 0, entries },
		};
		const before = a.broken.length;
		// More than the queue holds, within one turn, so that the other side cannot have read it.
		for (let sent = 0; sent < 12; sent++)
			a.peers.message(append, Buffer.alloc(1024 * 1024));
		a.peers.flush();
		expect(a.broken.slice(before)).toEqual(["to n2"]);
		expect(b.messages).toEqual([]);
		await until("the link again", () => a.peers.isConnected("n2"));
	});

	it("do not carry an answer for a connection that is gone", async () => {
		const [a, b] = await pair();
		const command = {
			requestId: 7,
			kind: 1,
			level: 0,
			ack: "apply",
			deadlineMs: 1000,
			command: Buffer.from("x"),
		} as const;
		b.peers.forward("n1", [command]);
		const { link } = await until("the command", () => a.forwards[0]);
		const before = a.peers.bytes();
		a.peers.answer("n2", link + 1000, [
			{ requestId: 7, outcome: { kind: "retry" } },
		]);
		expect(a.peers.bytes().queued).toBe(before.queued);
		a.peers.answer("n2", link, [{ requestId: 7, outcome: { kind: "retry" } }]);
		expect(a.peers.bytes().queued).toBeGreaterThan(before.queued);
	});
});
