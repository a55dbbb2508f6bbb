import { describe, expect, it } from "vitest";
import {
	decodeAnswer,
	decodeResult,
	encodeCommand,
	encodeQuery,
} from "../../../src/machines/kv/codec.js";
import { defineMachine, type Machine } from "../../../src/machines/machine.js";
import { maxRequestFrameBytes } from "../../../src/wire/client-frames.js";
import { eventually, type Node, StreamClient, startNode } from "./harness.js";

const put = (value: string) => encodeCommand({ op: "put", key: "a", value });
const get = encodeQuery({ op: "get", key: "a" });

function command(client: StreamClient, requestId: number, value = "v"): void {
	client.batch.command({
		requestId,
		ack: "apply",
		deadlineMs: 5000,
		command: put(value),
	});
}

function query(client: StreamClient, requestId: number): void {
	client.batch.query({
		requestId,
		consistency: "linearizable",
		minIndex: 0,
		deadlineMs: 5000,
		query: get,
	});
}

/** A machine whose answers are as long as the query says. */
const echo = defineMachine<null>({
	name: "echo",
	levels: { reads: [1, 1], writes: 1 },
	create: () => null,
	apply: (_, command) => Buffer.alloc(Buffer.from(command).readUInt32LE(0)),
	query: (_, query) => Buffer.alloc(Buffer.from(query).readUInt32LE(0)),
	snapshot: () => [],
	restore: () => null,
}) as Machine;

function lengthBytes(length: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32LE(length);
	return bytes;
}

describe("the client port's stream", () => {
	it("carries many requests at once and tells each its own answer", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		for (let id = 1; id <= 2000; id += 1) {
			if (id % 2 === 1) command(client, id, `${id}`);
			else query(client, id);
		}
		client.send();
		const answers = await client.until(({ length }) => length === 2000);
		expect(new Set(answers.map(({ requestId }) => requestId)).size).toBe(2000);
		for (const answer of answers) {
			if (answer.kind !== "result") throw new Error(answer.kind);
			if (answer.requestId % 2 === 1)
				expect(decodeResult(answer.result)).toEqual({
					op: "put",
					version: answer.index,
				});
			else expect(decodeAnswer(answer.result)).toMatchObject({ found: true });
		}
		expect(node.api.connections()).toEqual({
			total: 1,
			websockets: 0,
			streams: 1,
		});
		expect(node.api.inflight()).toBe(0);
	});

	it("answers each kind of acknowledgement, and passes deadline and client on", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		for (const [at, ack] of (["none", "commit", "apply"] as const).entries())
			client.batch.command({
				requestId: at,
				ack,
				deadlineMs: at * 1e6,
				command: put("v"),
			});
		client.send();
		const answers = await client.until(({ length }) => length === 3);
		const empty = Buffer.alloc(0);
		expect(answers.slice(0, 2)).toEqual([
			{ kind: "result", requestId: 0, index: 0, result: empty },
			{ kind: "result", requestId: 1, index: 2, result: empty },
		]);
		expect(answers[2]).toMatchObject({ kind: "result", index: 3 });
		const { proposals } = node.replica;
		expect(proposals.map(({ deadlineMs }) => deadlineMs)).toEqual([
			1, 60_000, 60_000,
		]);
		const other = await StreamClient.open(node);
		command(other, 1);
		other.send();
		await other.until(({ length }) => length === 1);
		expect(proposals[3]?.client).not.toBe(proposals[2]?.client);
	});

	it("tells rejected and unknown apart, with the reason and when to retry", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		node.replica.nextOutcomes.push(
			{
				kind: "rejected",
				reason: "overloaded",
				message: "full",
				retryAfterMs: 70,
			},
			{ kind: "unknown", message: "cut off" },
		);
		command(client, 1);
		command(client, 2);
		client.batch.query({
			requestId: 3,
			consistency: "stale",
			minIndex: 99,
			deadlineMs: 1,
			query: get,
		});
		client.batch.query({
			requestId: 4,
			consistency: "stale",
			minIndex: 0,
			deadlineMs: 1,
			query: Buffer.from("?"),
		});
		client.send();
		const answers = await client.until(({ length }) => length === 4);
		expect(answers).toMatchObject([
			{ outcome: "rejected", reason: "overloaded", retryAfterMs: 70 },
			{ outcome: "unknown", reason: "unknown", message: "cut off" },
			{ outcome: "rejected", reason: "timeout" },
			{ outcome: "rejected", reason: "invalid", retryAfterMs: 0 },
		]);
	});

	it("sends a command away undecoded while there is no room, answers queries, and still knows a bad frame", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		const full = {
			...({ kind: "rejected", reason: "overloaded" } as const),
			...{ message: "no room", retryAfterMs: 70 },
		};
		node.replica.full = full;
		command(client, 1);
		query(client, 2);
		client.send();
		const [sentAway, answered] = await client.until(
			({ length }) => length === 2,
		);
		expect([sentAway, answered].map((each) => each?.kind).sort()).toEqual([
			"failed",
			"result",
		]);
		expect([sentAway, answered]).toContainEqual({
			...{ kind: "failed", requestId: 1, outcome: "rejected" },
			...{ reason: "overloaded", message: "no room", retryAfterMs: 70 },
		});
		expect(node.replica.proposals).toEqual([]);
		node.replica.full = null;
		command(client, 3);
		client.send();
		await client.until(({ length }) => length === 3);
		expect(node.replica.proposals).toHaveLength(1);
		node.replica.full = full;
		client.socket.write(Buffer.from("060000000104000000" + "00", "hex"));
		expect((await client.untilEnd()).at(-1)).toMatchObject({
			...{ kind: "failed", requestId: 0, reason: "invalid" },
		});
	});

	it("takes frames that arrive byte by byte, and the first with the request itself", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		command(client, 7);
		for (const byte of client.batch.take())
			client.socket.write(Buffer.from([byte]));
		await client.until(({ length }) => length === 1);
		const { RawClient } = await import("./harness.js");
		const eager = new RawClient(node.api.port);
		command(client, 8);
		eager.write(
			Buffer.concat([
				Buffer.from(
					"GET /v1/stream HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: raftd-stream/1\r\n\r\n",
				),
				client.batch.take(),
			]),
		);
		await eager.until(
			(received) => received.split("\r\n\r\n")[1]?.length === 4 + 5 + 6 + 7,
		);
	});

	it.each([
		["a length of nothing", Buffer.alloc(4)],
		["a length beyond the limit", Buffer.from("ffffffff", "hex")],
		["a kind of the server's", Buffer.from("0500000063" + "01000000", "hex")],
		["a payload cut short", Buffer.from("0600000001" + "0100000000", "hex")],
	])(
		"ends on %s: says why, after what came before is answered",
		async (_, garbage) => {
			const node = await startNode();
			const client = await StreamClient.open(node);
			command(client, 1);
			client.socket.write(Buffer.concat([client.batch.take(), garbage]));
			const answers = await client.untilEnd();
			expect(answers).toMatchObject(
				expect.arrayContaining([
					expect.objectContaining({
						kind: "failed",
						requestId: 0,
						reason: "invalid",
					}),
					expect.objectContaining({ kind: "result", requestId: 1 }),
				]),
			);
			expect(node.api.counters().protocolErrors).toBe(1);
			await eventually(() => node.api.connections().total === 0);
		},
	);

	it("ends on a frame over the limit without waiting for it", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		client.socket.write(lengthBytes(maxRequestFrameBytes + 1));
		expect(await client.untilEnd()).toMatchObject([
			{ kind: "failed", requestId: 0 },
		]);
	});

	it("ends when a frame stays half sent, and not when it rests between frames", async () => {
		const node = await startNode({ limits: { stallTimeoutMs: 250 } });
		const resting = await StreamClient.open(node);
		const client = await StreamClient.open(node);
		client.socket.write(Buffer.concat([lengthBytes(50), Buffer.from([1])]));
		const drip = setInterval(() => client.socket.write(Buffer.from([0])), 50);
		expect(await client.untilEnd()).toMatchObject([
			{
				kind: "failed",
				requestId: 0,
				message: expect.stringContaining("whole"),
			},
		]);
		clearInterval(drip);
		expect(resting.ended).toBe(false);
		command(resting, 1);
		resting.send();
		await resting.until(({ length }) => length === 1);
	});

	it("takes on no more than so many requests, however many are sent, and answers all in the end", async () => {
		const node = await startNode({ limits: { maxPendingRequests: 10 } });
		const client = await StreamClient.open(node);
		node.replica.hold();
		for (let id = 1; id <= 5000; id += 1) command(client, id);
		client.send();
		await eventually(() => node.replica.inflight === 10);
		expect(node.api.inflight()).toBe(10);
		node.replica.release();
		await client.until(({ length }) => length === 5000);
		expect(node.replica.proposals.length).toBe(5000);
	});

	it("takes on no more than so many bytes", async () => {
		const node = await startNode({ limits: { maxPendingBytes: 100_000 } });
		const client = await StreamClient.open(node);
		node.replica.hold();
		const sent = 40;
		for (let id = 1; id <= sent; id += 1)
			command(client, id, "x".repeat(30_000));
		client.send();
		await eventually(() => node.replica.inflight === 4);
		expect(node.api.inflight()).toBe(4);
		node.replica.release();
		await client.until(({ length }) => length === sent);
	});

	it("takes on nothing more from a client that does not read, and ends it after the limit", async () => {
		const node = await startNode({
			machine: echo,
			limits: { stallTimeoutMs: 300, maxUnsentBytes: 64 * 1024 },
		});
		const client = await StreamClient.open(node);
		const reader = await StreamClient.open(node);
		client.socket.pause();
		for (let id = 1; id <= 2000; id += 1)
			client.batch.query({
				requestId: id,
				consistency: "stale",
				minIndex: 0,
				deadlineMs: 5000,
				query: lengthBytes(100_000),
			});
		client.send();
		await eventually(() => node.api.counters().stalled === 1);
		expect(node.replica.queries.length).toBeLessThan(2000);
		reader.batch.query({
			requestId: 1,
			consistency: "stale",
			minIndex: 0,
			deadlineMs: 5000,
			query: lengthBytes(10),
		});
		reader.send();
		await reader.until(({ length }) => length === 1);
		await eventually(() => node.api.connections().total === 1);
	});

	it("says so when an answer is too long to be told; of a command, that its fate is not", async () => {
		const node = await startNode({ machine: echo });
		const client = await StreamClient.open(node);
		client.batch.command({
			requestId: 1,
			ack: "apply",
			deadlineMs: 5000,
			command: lengthBytes(17 * 1024 * 1024),
		});
		client.batch.query({
			requestId: 2,
			consistency: "stale",
			minIndex: 0,
			deadlineMs: 5000,
			query: lengthBytes(17 * 1024 * 1024),
		});
		client.send();
		expect(await client.until(({ length }) => length === 2)).toMatchObject([
			{
				outcome: "unknown",
				reason: "too-large",
				message: expect.stringContaining("index 1"),
			},
			{ outcome: "rejected", reason: "too-large" },
		]);
	});

	it("answers what it was sent when the client half-closes", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		for (let id = 1; id <= 100; id += 1) command(client, id);
		client.socket.end(client.batch.take());
		expect((await client.untilEnd()).length).toBe(100);
		await eventually(() => node.api.connections().total === 0);
	});

	it("forgets a client that vanishes with requests under way", async () => {
		const node = await startNode();
		const client = await StreamClient.open(node);
		node.replica.hold();
		command(client, 1);
		client.send();
		await eventually(() => node.replica.inflight === 1);
		client.socket.destroy();
		await new Promise((resolve) => client.socket.once("close", resolve));
		expect(node.api.inflight()).toBe(1);
		node.replica.release();
		await eventually(() => node.api.inflight() === 0);
		await eventually(() => node.api.connections().total === 0);
	});
});

describe("a drain of streams", () => {
	async function streams(node: Node, count: number): Promise<StreamClient[]> {
		return Promise.all(
			Array.from({ length: count }, () => StreamClient.open(node)),
		);
	}

	const told = (client: StreamClient) =>
		client.answers.some(({ kind }) => kind === "goaway");

	it("says goaway, still answers what arrives, and ends each when nothing is open", async () => {
		const node = await startNode({ limits: { idleBeforeCloseMs: 300 } });
		const [client] = (await streams(node, 1)) as [StreamClient];
		node.replica.hold();
		command(client, 1);
		client.send();
		await eventually(() => node.replica.inflight === 1);
		node.api.beginClosing(0);
		await client.until((answers) =>
			answers.some(({ kind }) => kind === "goaway"),
		);
		command(client, 2);
		client.send();
		await eventually(() => node.replica.inflight === 2);
		node.replica.release();
		const answers = await client.untilEnd();
		expect(answers.map(({ kind }) => kind)).toEqual([
			"goaway",
			"result",
			"result",
		]);
		await eventually(() => node.api.connections().total === 0);
	});

	it("takes a standstill of its own for no silence of a client", async () => {
		const node = await startNode({ limits: { idleBeforeCloseMs: 300 } });
		const [client] = (await streams(node, 1)) as [StreamClient];
		node.api.beginClosing(0);
		await client.until((answers) => answers.length > 0);
		// The first look at it begins the time, a later one would end it.
		await new Promise((wake) => setTimeout(wake, 250));
		// Timers come next after this, and only then what has arrived.
		await new Promise((wake) => setImmediate(wake));
		command(client, 1);
		client.send();
		const endMs = performance.now() + 700;
		while (performance.now() < endMs);
		expect(await client.untilEnd()).toMatchObject([
			{ kind: "goaway" },
			{ kind: "result", requestId: 1 },
		]);
	});

	it("keeps a stream for as long as an answer is owed", async () => {
		const node = await startNode({ limits: { idleBeforeCloseMs: 1 } });
		const [busy, idle] = (await streams(node, 2)) as [
			StreamClient,
			StreamClient,
		];
		node.replica.hold();
		command(busy, 1);
		busy.send();
		await eventually(() => node.replica.inflight === 1);
		node.api.beginClosing(0);
		await idle.untilEnd();
		expect(busy.ended).toBe(false);
		node.replica.release();
		expect(await busy.untilEnd()).toMatchObject([
			{ kind: "goaway" },
			{ kind: "result", requestId: 1 },
		]);
	});

	it("asks one after another, and stops asking when the drain ends", async () => {
		const node = await startNode();
		const clients = await streams(node, 10);
		node.api.beginClosing(600_000);
		await eventually(() => clients.some(told));
		node.api.stopClosing();
		for (const client of clients) {
			command(client, 1);
			client.send();
			await client.until((answers) =>
				answers.some(({ kind }) => kind === "result"),
			);
		}
		expect(clients.filter(told).length).toBe(1);
		const late = await StreamClient.open(node);
		command(late, 1);
		late.send();
		await late.until(({ length }) => length === 1);
	});

	it("refuses new streams while it closes, before anything is lost on them", async () => {
		const node = await startNode();
		node.api.beginClosing(0);
		await expect(StreamClient.open(node)).rejects.toThrow("503");
		node.api.stopClosing();
		await StreamClient.open(node);
	});

	it("cuts off a client that goes on as if nothing had been said, after answering what it took", async () => {
		const node = await startNode({
			limits: { idleBeforeCloseMs: 600_000, leaveTimeoutMs: 300 },
		});
		const [client] = (await streams(node, 1)) as [StreamClient];
		node.api.beginClosing(0);
		let id = 0;
		const busy = setInterval(() => {
			id += 1;
			command(client, id);
			client.send();
		}, 1);
		await client.untilEnd();
		clearInterval(busy);
		const results = client.answers.filter(({ kind }) => kind === "result");
		expect(results.length).toBe(node.replica.proposals.length);
	});
});
