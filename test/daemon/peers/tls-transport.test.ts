import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectPlain, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Peers } from "../../../src/daemon/peers/peers.js";
import { tlsTransport } from "../../../src/daemon/peers/tls-transport.js";
import { Credentials } from "../../../src/daemon/tls/credentials.js";
import type { SnapshotStore } from "../../../src/storage/snapshots/snapshot-store.js";
import {
	decodeGreeting,
	encodeHello,
} from "../../../src/wire/peer-handshake.js";
import { freePorts, until } from "../../fakes/loopback-cluster.js";
import {
	longAgo,
	TestAuthority,
	tomorrow,
	writeTlsFiles,
	yesterday,
} from "../../fakes/test-certificates.js";

const levels = { readsFrom: 1, readsTo: 2, writes: 2 };

class SecureEndpoint {
	readonly diagnoses: string[] = [];
	readonly broken: string[] = [];
	readonly peers: Peers;
	readonly credentials: Credentials;
	readonly address: string;
	readonly nodeId: string;
	readonly directory: string;
	readonly #ticker: NodeJS.Timeout;

	constructor(
		nodeId: string,
		port: number,
		shown: { ca: string; leaf: string },
	) {
		this.nodeId = nodeId;
		this.address = `127.0.0.1:${port}`;
		this.directory = join(ground, nodeId);
		const self = { clusterId: "c-1", nodeId };
		this.credentials = new Credentials({
			files: writeTlsFiles(this.directory, shown),
			self,
			onReload: () => {},
			onFault: (fault) => this.diagnoses.push(fault),
		});
		this.peers = new Peers({
			self: { ...self, incarnation: `${nodeId}-first`, levels },
			transport: tlsTransport(this.credentials),
			writeLevel: () => ({ level: 1, release: "" }),
			store: {} as SnapshotStore,
			maxSnapshotBytesPerSecond: 1024 * 1024,
			listen: this.address,
			incarnations: { known: () => null, learn: () => {} },
			diagnose: (_level, message) => this.diagnoses.push(message),
			maxQueuedBytes: 1024 * 1024,
			events: {
				onMessage: () => {},
				onForward: () => {},
				onOutcomes: () => {},
				onSnapshotDamaged: () => {},
				onConnected: () => {},
				onBroken: (peer) => this.broken.push(peer),
			},
		});
		this.#ticker = setInterval(() => {
			this.peers.tick(performance.now());
			this.peers.flush();
		}, 5);
	}

	async open(...members: { nodeId: string; address: string }[]) {
		await this.peers.open(performance.now());
		this.peers.setMembers(
			new Map(members.map(({ nodeId, address }) => [nodeId, [address]])),
		);
	}

	get said(): string {
		return this.diagnoses.join("\n");
	}

	async close(): Promise<void> {
		clearInterval(this.#ticker);
		this.credentials.close();
		await this.peers.close();
	}
}

let ground = "";
let ports: number[] = [];
const open: SecureEndpoint[] = [];
const sockets: Socket[] = [];
const authority = TestAuthority.create("c-1");

beforeEach(async () => {
	ground = mkdtempSync(join(tmpdir(), "raftd-tls-"));
	ports = await freePorts(2);
});

afterEach(async () => {
	for (const socket of sockets.splice(0)) socket.destroy();
	await Promise.all(open.splice(0).map((endpoint) => endpoint.close()));
	rmSync(ground, { recursive: true, force: true });
});

async function endpoint(nodeId: string, leaf?: string, ca?: string) {
	const { certificate } = await authority;
	const port = ports[nodeId === "n1" ? 0 : 1] as number;
	const made = new SecureEndpoint(nodeId, port, {
		ca: ca ?? certificate,
		leaf: leaf ?? (await (await authority).node(nodeId)),
	});
	open.push(made);
	return made;
}

async function pair(leafOfSecond?: string) {
	const a = await endpoint("n1");
	const b = await endpoint("n2", leafOfSecond);
	await a.open(b);
	await b.open(a);
	return [a, b] as const;
}

const linked = (a: SecureEndpoint, b: SecureEndpoint) =>
	until("links", () => a.peers.connected()[0] && b.peers.connected()[0]);

/** What n1 answers to a hello of `from` over a connection that shows `shown`. */
async function greeted(
	target: SecureEndpoint,
	from: string,
	shown: { ca: string; cert?: string; key?: string },
) {
	const port = Number(target.address.split(":")[1]);
	const socket: TLSSocket = connect({
		...{ host: "127.0.0.1", port, ...shown },
		checkServerIdentity: () => undefined,
	});
	sockets.push(socket);
	await once(socket, "secureConnect");
	socket.write(
		encodeHello({
			...{ oldestVersion: 1, newestVersion: 1, clusterId: "c-1", from },
			...{ incarnation: "x", to: "n1", levels, purpose: "messages" },
		}),
	);
	const [answer] = (await once(socket, "data")) as [Buffer];
	return decodeGreeting(answer.subarray(4));
}

describe("links over TLS", () => {
	it("come about when both certificates name the right nodes", async () => {
		const [a, b] = await pair();
		await linked(a, b);
		expect(a.peers.counters.refused).toBe(0);
	});

	it("refuse whoever shows no certificate, and tell why", async () => {
		const [a] = await pair();
		const { certificate } = await authority;
		expect(await greeted(a, "n2", { ca: certificate })).toEqual({
			...{ type: "refused", cause: "certificate" },
			sentence: "n1 asks every node for its certificate, and n2 shows none",
		});
	});

	it("refuse a certificate of a foreign authority", async () => {
		const [a] = await pair();
		const stranger = await (await TestAuthority.create("c-1")).node("n2");
		const { certificate } = await authority;
		const shown = { ca: certificate, cert: stranger, key: stranger };
		expect(await greeted(a, "n2", shown)).toMatchObject({
			sentence:
				"n1 does not accept the certificate of n2: it is of an authority that is not trusted here",
		});
	});

	it("refuse the certificate of another node, of an operator and of another cluster", async () => {
		const [a] = await pair();
		const own = await authority;
		const foreign = Object.create(own, { clusterId: { value: "c-2" } });
		const cases = [
			[await own.node("n3"), "node n3 of cluster c-1"],
			[await own.role("admin"), "an operator (admin) of cluster c-1"],
			[await foreign.node("n2"), "node n2 of cluster c-2"],
		] as const;
		for (const [leaf, whose] of cases) {
			const shown = { ca: own.certificate, cert: leaf, key: leaf };
			expect(await greeted(a, "n2", shown)).toMatchObject({
				cause: "certificate",
				sentence: `n1 does not accept the certificate of n2: it is that of ${whose}`,
			});
		}
		expect(a.peers.isConnected("n2")).toBe(true);
	});

	it("refuse an expired certificate, both of who dials and of who is dialled, with its date", async () => {
		const expired = await (await authority).node("n2", {
			...{ notBefore: longAgo, notAfter: yesterday },
		});
		const [a, b] = await pair(expired);
		await until("the sentence", () => a.said.includes("it expired on"));
		await until("a refusal", () => a.peers.counters.refused > 0);
		const date = new Date(Math.floor(yesterday.getTime() / 1000) * 1000);
		expect(a.said).toContain(
			"no link to n2: the certificate that is shown there is not accepted: it has expired; raftctl certs renew issues another",
		);
		expect(a.said).toContain(
			`n1 does not accept the certificate of n2: it expired on ${date.toISOString()}`,
		);
		await until("the word of it", () => b.peers.troubles().length > 0);
		expect(b.peers.troubles()).toMatchObject([
			{ kind: "refused", peer: "n1", cause: "certificate" },
		]);
		expect(a.peers.connected()).toEqual([]);
	});

	it("refuse one that is not good yet, and name the clocks", async () => {
		const early = await (await authority).node("n2", { notBefore: tomorrow });
		const [a] = await pair(early);
		await until("the sentence", () => a.said.includes("clocks is wrong"));
		expect(a.peers.connected()).toEqual([]);
	});

	it("never speak to another node that answers at the address", async () => {
		const a = await endpoint("n1");
		const b = await endpoint("n2");
		await b.open();
		await a.open({ nodeId: "n3", address: b.address });
		await until("the sentence", () => a.said.includes("n3"));
		expect(a.said).toContain(
			"no link to n3: the certificate that is shown there is that of node n2 of cluster c-1, not that of n3 of cluster c-1",
		);
		// It has heard of a connection that broke, at most, and of no name.
		expect(b.said).not.toContain("n1");
	});

	it("tell plain text from TLS, on either side", async () => {
		const a = await endpoint("n1");
		await a.open();
		const plain = connectPlain(ports[0] as number, "127.0.0.1");
		sockets.push(plain);
		plain.on("error", () => {});
		plain.write("GET / HTTP/1.1\r\n\r\n");
		await until("the complaint", () => a.peers.counters.refused > 0);
		expect(a.said).toContain("speaks plain HTTP, and this port speaks TLS");
	});

	it("use new certificates on new connections and leave those that stand alone", async () => {
		const [a, b] = await pair();
		await linked(a, b);
		const next = await TestAuthority.create("c-1");
		const both = `${(await authority).certificate}${next.certificate}`;
		for (const one of [a, b])
			writeTlsFiles(one.directory, {
				ca: both,
				leaf: await next.node(one.nodeId),
			});
		a.credentials.reload();
		b.credentials.reload();
		expect([a.credentials.fault, b.credentials.fault]).toEqual([null, null]);
		const leaf = await next.node("n2");
		const shown = { ca: next.certificate, cert: leaf, key: leaf };
		expect(a.broken).toEqual([]);
		expect(await greeted(a, "n2", shown)).toMatchObject({ type: "welcome" });
	});

	it("go on with what they have while the files do not fit together", async () => {
		const [a, b] = await pair();
		await linked(a, b);
		const before = a.credentials.material;
		writeTlsFiles(a.directory, {
			ca: (await authority).certificate,
			leaf: await (await TestAuthority.create("c-1")).node("n1"),
		});
		a.credentials.reload();
		expect(a.credentials.fault).toContain("no authority in");
		expect(a.credentials.material).toBe(before);
		writeTlsFiles(a.directory, {
			ca: (await authority).certificate,
			leaf: await (await authority).node("n1"),
		});
		a.credentials.reload();
		expect(a.credentials.fault).toBeNull();
		expect(a.credentials.material.leaf).not.toEqual(before.leaf);
	});

	it("are not held up by whoever never ends a handshake, when they close", async () => {
		const a = await endpoint("n1");
		await a.open();
		const silent = connectPlain(ports[0] as number, "127.0.0.1");
		sockets.push(silent);
		silent.on("error", () => {});
		await once(silent, "connect");
		const closed = once(silent, "close");
		await a.peers.close();
		await closed;
	});

	it("take an address that makes no sense for a broken connection", async () => {
		const a = await endpoint("n1");
		const socket = tlsTransport(a.credentials).dial("127.0.0.1:70000", "n2");
		const [error] = await once(socket, "error");
		expect(String(error)).toContain("70000");
		await a.open();
	});
});
