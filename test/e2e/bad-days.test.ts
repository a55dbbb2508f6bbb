import { connect, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { kv } from "../../src/machines/kv/machine.js";
import { FrameBatch } from "../../src/wire/client-frame-batch.js";
import { raftdGround } from "../daemon/raftd-ground.js";
import {
	adminCall,
	ask,
	type NodeFile,
	type Raftd,
	writeCluster,
} from "../daemon/raftd-process.js";
import { eventually } from "./local-cluster.js";
import { change, leaderOf, metric, statusOf } from "./real-nodes.js";

const ground = raftdGround();
const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;

type Roles = Readonly<Record<string, string>>;

/** Who is what, once all of these nodes say the same of it and no change is half done. */
function agreedRoles(nodes: readonly NodeFile[]): Promise<Roles> {
	return eventually(async () => {
		const said = await Promise.all(
			nodes.map(async (node) => {
				const status = await statusOf(node).catch(() => null);
				const { configuration: { index, members } = {} } = status ?? {};
				return JSON.stringify([index, status?.leaderId, members]);
			}),
		);
		if (new Set(said).size !== 1) return null;
		const [, leaderId, members] = JSON.parse(said[0] as string);
		if (!leaderId || !members) return null;
		const roles: Record<string, string> = {};
		for (const { id, role } of members) roles[id] = role;
		const isSettled = Object.values(roles).every(
			(role) => role === "voter" || role === "learner",
		);
		return isSettled ? roles : null;
	}, "one configuration and one leader");
}

/** Something to do to this member: there and back again. */
function turned(roles: Roles, id: string) {
	return roles[id] === "voter"
		? { request: { id, type: "demote" }, after: { ...roles, [id]: "learner" } }
		: { request: { id, type: "promote" }, after: { ...roles, [id]: "voter" } };
}

describe("a leader that is killed while it changes the membership", () => {
	const running = new Map<string, Raftd>();
	const start = async (node: NodeFile) => {
		running.set(node.id, await ground.startReady(node));
	};
	const signal = (node: NodeFile, name: NodeJS.Signals) =>
		(running.get(node.id) as Raftd).kill(name);

	/** What the leader had said when it was killed; null: nothing. */
	async function killWithin(
		leader: NodeFile,
		request: object,
		delayMs: number,
	): Promise<Record<string, unknown> | null> {
		let said: Record<string, unknown> | null = null;
		const asked = adminCall(leader, "ChangeMembership", {
			changes: [request],
		}).then(
			(answer) => {
				said = answer;
			},
			() => {},
		);
		await new Promise((resolve) => setTimeout(resolve, delayMs));
		const saidBefore = said;
		signal(leader, "SIGKILL");
		await Promise.all([running.get(leader.id)?.ended, asked]);
		return saidBefore;
	}

	it("leaves the old configuration or the new one to all, and who is left can change it again", async () => {
		// Of four, any three are a quorum, with one of them a learner, too.
		const ids = ["n1", "n2", "n3", "n4"];
		const nodes = await writeCluster(ground.directory, ids);
		await Promise.all(nodes.map(start));
		await eventually(async () => {
			const { configuration } = await statusOf(await leaderOf(nodes));
			return configuration?.members?.every(({ incarnation }) => incarnation);
		}, "all directories to be known");
		let inFlight = 0;
		for (const delayMs of [null, 2, 5, 10, 20]) {
			const before = await agreedRoles(nodes);
			const leader = await leaderOf(nodes);
			const others = nodes.filter((node) => node !== leader);
			const learner = ids.find((id) => before[id] === "learner");
			const target = learner ?? (others[0] as NodeFile).id;
			const { request, after } = turned(before, target);
			// Nobody hears of it before the kill: what then waits in their sockets may still come about.
			if (delayMs === null) for (const node of others) signal(node, "SIGSTOP");
			const said = await killWithin(leader, request, delayMs ?? 100);
			if (delayMs === null) expect(said).toBeNull();
			if (delayMs === null) for (const node of others) signal(node, "SIGCONT");
			if (said === null) inFlight++;
			const left = await agreedRoles(others);
			if (said?.index !== undefined) expect(left).toEqual(after);
			else expect([before, after]).toContainEqual(left);
			const again = turned(left, target);
			await change(others, again.request);
			expect(await agreedRoles(others)).toEqual(again.after);
			await start(leader);
			expect(await agreedRoles(nodes)).toEqual(again.after);
		}
		expect(inFlight).toBeGreaterThan(0);
	});
});

/** What a node says of its memory, and that it serves somebody else meanwhile. */
class Beside {
	readonly #node: NodeFile;
	readonly #ended: Promise<void>;
	#isOver = false;
	#before = 0;
	#most = 0;
	served = 0;

	private constructor(node: NodeFile) {
		this.#node = node;
		this.#ended = this.#run();
		// It is looked at in the end; until then it is nobody's.
		this.#ended.catch(() => {});
	}

	static async of(node: NodeFile): Promise<Beside> {
		const beside = new Beside(node);
		await eventually(async () => beside.served > 20, "a served client");
		beside.#before = beside.#most;
		return beside;
	}

	async #run(): Promise<void> {
		while (!this.#isOver) {
			const put = { op: "put", key: "beside", value: `${this.served}` };
			const { status } = await ask(this.#node, "command", put);
			if (status !== 200) throw new Error(`not served: ${status}`);
			this.served++;
			const rss = await metric(this.#node, "process_resident_memory_bytes");
			this.#most = Math.max(this.#most, rss ?? Number.POSITIVE_INFINITY);
		}
	}

	/** By how many bytes the node had grown at most. */
	async end(): Promise<number> {
		this.#isOver = true;
		await this.#ended;
		return this.#most - this.#before;
	}
}

class Rude {
	readonly socket: Socket;
	received = "";
	isClosed = false;

	constructor(node: NodeFile) {
		const [host, port] = node.client.split(":") as [string, string];
		this.socket = connect(Number(port), host);
		this.socket.setEncoding("latin1");
		this.socket.on("data", (text) => {
			this.received += text;
		});
		this.socket.on("close", () => {
			this.isClosed = true;
		});
		this.socket.on("error", () => {});
	}

	/** Another protocol from here on. */
	async upgrade(path: string, headers: string): Promise<void> {
		this.socket.write(
			`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\n${headers}\r\n\r\n`,
		);
		await eventually(async () => this.received.includes("\r\n\r\n"), "101");
		expect(this.received).toContain("HTTP/1.1 101");
	}

	/** Keeps its word, for as long as it is let: bytes that were sent before the node ended it. */
	async pour(chunk: Buffer): Promise<number> {
		let bytes = 0;
		const closed = new Promise<false>((resolve) =>
			this.socket.once("close", () => resolve(false)),
		);
		for (let isTaken = true; isTaken && bytes < gibibyte; ) {
			const written = new Promise<boolean>((resolve) =>
				this.socket.write(chunk, (error) => resolve(!error)),
			);
			isTaken = await Promise.race([written, closed]);
			if (isTaken) bytes += chunk.length;
		}
		return bytes;
	}
}

const letters = Buffer.alloc(mebibyte, "x");
const chunked = Buffer.concat([
	Buffer.from("100000\r\n"),
	letters,
	Buffer.from("\r\n"),
]);

const flows: Record<string, (client: Rude) => Promise<Buffer>> = {
	"an HTTP body, announced": async ({ socket }) => {
		socket.write(
			`POST /v1/command HTTP/1.1\r\nHost: h\r\nContent-Length: ${gibibyte}\r\n\r\n`,
		);
		return letters;
	},
	"an HTTP body in chunks": async ({ socket }) => {
		socket.write(
			"POST /v1/command HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
		);
		return chunked;
	},
	"a frame of a stream": async (client) => {
		await client.upgrade("/v1/stream", "Upgrade: raftd-stream/1");
		const length = Buffer.alloc(4);
		length.writeUInt32LE(gibibyte);
		client.socket.write(length);
		return letters;
	},
	"a frame of a WebSocket": async (client) => {
		await client.upgrade(
			"/v1/events",
			"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
		);
		const header = Buffer.alloc(14);
		header[0] = 0x81;
		header[1] = 0x80 | 127;
		header.writeBigUInt64BE(BigInt(gibibyte), 2);
		client.socket.write(header);
		return letters;
	},
};

describe("a node that meets a rude client", () => {
	it.each(Object.keys(flows))(
		"refuses a gibibyte as %s, and grows by no more than 64 MiB",
		async (name) => {
			const node = await ground.single();
			await ground.startReady(node);
			const beside = await Beside.of(node);
			const client = new Rude(node);
			const chunk = await flows[name]?.(client);
			const sent = await client.pour(chunk as Buffer);
			await eventually(async () => client.isClosed, "the end of the client");
			const { served } = beside;
			await eventually(async () => beside.served > served + 5, "service");
			expect(sent).toBeLessThan(gibibyte / 4);
			expect(await beside.end()).toBeLessThan(64 * mebibyte);
		},
	);

	it("cuts off who never reads, keeps little for them, and serves others", async () => {
		const node = await ground.single();
		await ground.startReady(node);
		const value = "v".repeat(mebibyte);
		const big = { op: "put", key: "big", value };
		expect((await ask(node, "command", big)).status).toBe(200);
		const beside = await Beside.of(node);
		const [http, stream] = [new Rude(node), new Rude(node)];
		await stream.upgrade("/v1/stream", "Upgrade: raftd-stream/1");
		http.socket.pause();
		stream.socket.pause();
		const count = 400;
		const q = encodeURIComponent('{"op":"get","key":"big"}');
		const get = `GET /v1/query?q=${q} HTTP/1.1\r\nHost: h\r\n\r\n`;
		http.socket.write(get.repeat(count));
		const batch = new FrameBatch();
		const query = kv.json?.query({ op: "get", key: "big" }) as Uint8Array;
		for (let requestId = 1; requestId <= count; requestId++)
			batch.query({
				...{ requestId, consistency: "linearizable", minIndex: 0 },
				...{ deadlineMs: 5000, query },
			});
		stream.socket.write(batch.take());
		const reason = 'raftd_client_connections_ended_total{reason="stalled"}';
		await eventually(
			async () => (await metric(node, reason)) === 2,
			"both to be cut off",
			50_000,
		);
		expect(await beside.end()).toBeLessThan(256 * mebibyte);
		http.socket.destroy();
		stream.socket.destroy();
	}, 90_000);
});
