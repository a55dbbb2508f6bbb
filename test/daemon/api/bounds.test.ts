import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { defineMachine, type Machine } from "../../../src/machines/machine.js";
import {
	ask,
	eventually,
	Listener,
	put,
	RawClient,
	StreamClient,
	startNode,
} from "./harness.js";

const answerBytes = 200_000;

/** Each answer is long. */
const wordy = defineMachine<null>({
	name: "wordy",
	levels: { reads: [1, 1], writes: 1 },
	create: () => null,
	apply: () => Buffer.from("1"),
	query: () => Buffer.from(`"${"x".repeat(answerBytes)}"`),
	snapshot: () => [],
	restore: () => null,
}) as Machine;

const get = "GET /v1/query?q=1 HTTP/1.1\r\nHost: h\r\n\r\n";
/** Far more than kernels keep on the way: what they take is no stall. */
const limits = {
	...{ stallTimeoutMs: 200, maxUnsentAnswerBytes: 12_000_000 },
};
const gibibyte = 2 ** 30;

/** Connections in this process share its memory with the node: what is asked of a client is not to read. */
function unread(port: number): RawClient {
	const client = new RawClient(port);
	client.socket.pause();
	return client;
}

describe("a client that never reads", () => {
	it("over HTTP gets no more than so many bytes kept for it, and is cut off", async () => {
		const node = await startNode({ machine: wordy, limits });
		node.replica.hold();
		const client = unread(node.api.port);
		client.write(get.repeat(500));
		await eventually(() => node.replica.inflight === 500);
		const before = process.memoryUsage().arrayBuffers;
		node.replica.release();
		await eventually(() => node.api.inflight() < 500);
		const kept = process.memoryUsage().arrayBuffers - before;
		expect(kept).toBeLessThan(4 * limits.maxUnsentAnswerBytes);
		await eventually(() => node.api.connections().total === 0);
		expect(node.api.counters().stalled).toBe(1);
	});

	it("over HTTP is not read from either, where it asks one thing after another", async () => {
		let asked = 0;
		const machine = {
			...wordy,
			query: () => {
				asked += 1;
				return Buffer.from(`"${"x".repeat(answerBytes)}"`);
			},
		} as Machine;
		const node = await startNode({
			machine,
			limits: { ...limits, maxUnsentAnswerBytes: gibibyte },
		});
		const client = unread(node.api.port);
		const isGone = () => node.api.connections().total === 0;
		await eventually(() => !isGone());
		const most = 200;
		for (let number = 1; number <= most && !isGone(); number++) {
			client.write(get);
			await eventually(() => asked === number || isGone());
		}
		// What the two kernels keep on the way is theirs.
		expect(asked).toBeLessThan(most);
		await eventually(isGone);
		expect(node.api.counters().stalled).toBe(1);
	});

	it("over a stream gets no more than so many bytes kept for it, and is cut off", async () => {
		const node = await startNode({ machine: wordy, limits });
		const client = await StreamClient.open(node);
		client.socket.pause();
		node.replica.hold();
		for (let requestId = 1; requestId <= 500; requestId++)
			client.batch.query({
				...{ requestId, consistency: "linearizable", minIndex: 0 },
				...{ deadlineMs: 5000, query: Buffer.from("1") },
			});
		client.send();
		await eventually(() => node.replica.inflight === 500);
		const before = process.memoryUsage().arrayBuffers;
		node.replica.release();
		await eventually(() => node.api.inflight() === 0);
		const kept = process.memoryUsage().arrayBuffers - before;
		expect(kept).toBeLessThan(4 * limits.maxUnsentAnswerBytes);
		await eventually(() => node.api.connections().total === 0);
		expect(node.api.counters().stalled).toBe(1);
	});

	it("over a WebSocket gets no more than so many bytes kept for it, and is cut off", async () => {
		const node = await startNode({ machine: wordy, limits });
		const client = await Listener.open(node);
		client.ws.pause();
		node.replica.hold();
		for (let id = 1; id <= 500; id++) client.send({ id, query: 1 });
		await eventually(() => node.replica.inflight === 500);
		const before = process.memoryUsage().arrayBuffers;
		node.replica.release();
		await eventually(() => node.api.inflight() === 0);
		const kept = process.memoryUsage().arrayBuffers - before;
		expect(kept).toBeLessThan(4 * limits.maxUnsentAnswerBytes);
		await eventually(() => node.api.connections().total === 0);
		expect(node.api.counters().stalled).toBe(1);
	});

	it("is told that answers wait, once it reads after all", async () => {
		const node = await startNode({
			machine: wordy,
			limits: { ...limits, stallTimeoutMs: 20_000 },
		});
		node.replica.hold();
		const client = unread(node.api.port);
		client.write(get.repeat(100));
		await eventually(() => node.replica.inflight === 100);
		node.replica.release();
		await eventually(() => node.replica.inflight === 0);
		client.socket.resume();
		const text = await client.until(
			(received) => received.split("HTTP/1.1 ").length === 101,
		);
		const statuses = [...text.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, at]) => at);
		const answered = statuses.filter((status) => status === "200").length;
		const most = limits.maxUnsentAnswerBytes / answerBytes + 2;
		expect(answered).toBeGreaterThan(1);
		expect(answered).toBeLessThan(most);
		expect(statuses.filter((status) => status === "429").length).toBe(
			100 - answered,
		);
	});

	it("is not taken for one while it waits for an answer that takes long", async () => {
		const node = await startNode({ machine: wordy, limits });
		node.replica.hold();
		const client = new RawClient(node.api.port);
		client.write(get);
		client.write("GET /v1/whoami HTTP/1.1\r\nHost: h\r\n\r\n");
		await eventually(() => node.replica.inflight === 1);
		await new Promise((resolve) =>
			setTimeout(resolve, 3 * limits.stallTimeoutMs),
		);
		node.replica.release();
		await client.until((received) => received.includes('"role"'));
		expect(node.api.counters().stalled).toBe(0);
	});
});

describe("a client that sends a gibibyte", () => {
	it("over HTTP is refused by its header, and gets to read why", async () => {
		const node = await startNode();
		const client = new RawClient(node.api.port);
		client.write(
			`POST /v1/command HTTP/1.1\r\nHost: h\r\nContent-Length: ${gibibyte}\r\n\r\n`,
		);
		// Nothing of the body has been sent yet.
		const text = await client.until((received) => received.includes("error"));
		expect(text).toContain("HTTP/1.1 413");
		expect(text).toContain("Connection: close");
		const chunk = Buffer.alloc(1024 * 1024);
		let sent = 0;
		while (!client.ended && sent < 100) {
			client.socket.write(chunk);
			sent++;
			await new Promise((resolve) => setImmediate(resolve));
		}
		await client.untilEnd();
		expect(sent).toBeLessThan(100);
		expect(await put(node, "a", "1")).toMatchObject({ status: 200 });
		expect(node.replica.proposals).toHaveLength(1);
	});

	it("over HTTP in chunks is cut off", async () => {
		const node = await startNode();
		const client = new RawClient(node.api.port);
		client.write(
			"POST /v1/command HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
		);
		const chunk = Buffer.from(`100000\r\n${"x".repeat(1024 * 1024)}\r\n`);
		let sent = 0;
		while (!client.ended && sent < 200) {
			client.socket.write(chunk);
			sent++;
			await new Promise((resolve) => setImmediate(resolve));
		}
		await client.untilEnd();
		expect(sent).toBeLessThan(200);
		expect(node.replica.proposals).toEqual([]);
	});

	it("over a stream is refused by the frame's length", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		const length = Buffer.alloc(4);
		length.writeUInt32LE(gibibyte);
		client.socket.write(length);
		expect(await client.untilEnd()).toMatchObject([
			{ kind: "failed", requestId: 0, reason: "invalid" },
		]);
	});

	it("over a WebSocket is refused by the frame's length", async () => {
		const node = await startNode();
		const raw = new RawClient(node.api.port);
		raw.write(
			"GET /v1/events HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
		);
		await raw.until((received) => received.includes("101"));
		const header = Buffer.alloc(14);
		header[0] = 0x81;
		header[1] = 0x80 | 127;
		header.writeBigUInt64BE(BigInt(gibibyte), 2);
		raw.write(header);
		await eventually(() => node.api.counters().protocolErrors === 1);
		expect(node.api.connections().websockets).toBeLessThanOrEqual(1);
		raw.socket.destroy();
		const polite = new WebSocket(`ws://127.0.0.1:${node.api.port}/v1/events`);
		await new Promise((resolve) => polite.once("open", resolve));
		polite.terminate();
	});
});

describe("a client that is sent away", () => {
	it("is told over HTTP when to come back, in whole seconds and in milliseconds", async () => {
		const node = await startNode();
		node.replica.nextOutcomes.push({
			...{ kind: "rejected", reason: "overloaded" },
			...{ message: "full", retryAfterMs: 1200 },
		});
		const answer = await ask(`${node.url}/v1/command`, {
			...{ op: "put", key: "a", value: "1" },
		});
		expect(answer).toMatchObject({
			...{ status: 429, json: { error: { retryAfterMs: 1200 } } },
		});
		expect(answer.headers.get("retry-after")).toBe("2");
	});
});
