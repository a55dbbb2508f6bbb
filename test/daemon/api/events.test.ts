import { once } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import {
	ask,
	eventually,
	Listener,
	type Node,
	put,
	RawClient,
	startNode,
} from "./harness.js";

const long = "x".repeat(10_000);

interface Indexed {
	readonly index: number;
}

/** Puts that many keys, not waiting for each; every one is an event. */
async function change(node: Node, count: number, value = "v"): Promise<void> {
	const target = node.replica.status().applied + count;
	for (let at = 0; at < count; at += 1)
		node.replica.propose(
			Buffer.from([1, 1, 0, 0x61, ...Buffer.from(value)]),
			{ ack: "none", deadlineMs: 1000, client: "test" },
			() => {},
		);
	await eventually(() => node.replica.status().applied >= target);
}

function range(first: number, last: number): number[] {
	return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

describe("events over a WebSocket", () => {
	it("begin now, and say at once from where to resume", async () => {
		const node = await startNode();
		await change(node, 3);
		const listener = await Listener.open(node);
		await listener.until(({ messages }) => messages.length > 0);
		await put(node, "b", "2");
		await ask(`${node.url}/v1/command`, { op: "delete", key: "b" });
		await listener.until(({ indexes }) => indexes.length === 2);
		expect(listener.messages.slice(0, 3)).toEqual([
			{ type: "progress", index: 3 },
			{
				type: "events",
				events: [{ index: 4, event: { op: "put", key: "b", value: "2" } }],
			},
			{
				type: "events",
				events: [{ index: 5, event: { op: "delete", key: "b" } }],
			},
		]);
		expect(node.api.connections()).toEqual(
			expect.objectContaining({ websockets: 1, streams: 0 }),
		);
	});

	it("resume from an index without a gap and without a double, while changes go on", async () => {
		const node = await startNode();
		const total = 3000;
		const seen: number[] = [];
		const changes = change(node, total);
		while ((seen.at(-1) ?? 0) < total) {
			const from = (seen.at(-1) ?? 0) + 1;
			const listener = await Listener.open(node, `?from=${from}`);
			await listener.until(
				({ indexes }) =>
					indexes.length >= 400 || (indexes.at(-1) ?? 0) >= total,
			);
			listener.ws.terminate();
			seen.push(...listener.indexes);
		}
		await changes;
		expect(seen).toEqual(range(1, total));
	});

	it("are the same for every subscriber, from wherever each began", async () => {
		const node = await startNode();
		await change(node, 50);
		const listeners = await Promise.all(
			range(1, 30).map((from) => Listener.open(node, `?from=${from}`)),
		);
		await change(node, 50);
		for (const [at, listener] of listeners.entries()) {
			await listener.until(({ indexes }) => indexes.at(-1) === 100);
			expect(listener.indexes).toEqual(range(at + 1, 100));
		}
	});

	it("come in one message when they are of one turn", async () => {
		const node = await startNode();
		const listeners = await Promise.all(
			range(1, 5).map(() => Listener.open(node, "?from=1")),
		);
		await eventually(() => node.replica.subscribers === 5);
		await change(node, 50);
		for (const listener of listeners) {
			await listener.until(({ indexes }) => indexes.length === 50);
			expect(listener.indexes).toEqual(range(1, 50));
			const runs = listener.messages.filter(({ type }) => type === "events");
			expect(runs).toHaveLength(1);
		}
	});

	it("wait for an index that this node has yet to reach", async () => {
		const node = await startNode({ limits: { progressIntervalMs: 1 } });
		const listener = await Listener.open(node, "?from=5");
		await change(node, 8);
		await listener.until(({ indexes }) => indexes.length === 4);
		expect(listener.indexes).toEqual([5, 6, 7, 8]);
		// A progress before its beginning would make it resume too early.
		expect(listener.messages.filter(({ index }) => index < 5)).toEqual([]);
	});

	it("tell a quiet subscriber how far it is, so that it need not resume from long ago", async () => {
		const node = await startNode({ limits: { progressIntervalMs: 10 } });
		const listener = await Listener.open(node, "?from=1");
		// Reads and refused deletes change no key, so that there is no event.
		for (let at = 0; at < 3; at += 1)
			await ask(`${node.url}/v1/command`, { op: "delete", key: "none" });
		await listener.until(({ messages }) =>
			messages.some(({ type, index }) => type === "progress" && index === 3),
		);
		await put(node, "a", "1");
		await listener.until(({ indexes }) => indexes.length === 1);
		const indexes = listener.messages.flatMap(({ type, index, events }) =>
			type === "events" ? events.map((each: Indexed) => each.index) : [index],
		);
		expect(indexes).toEqual([...indexes].sort((a, b) => a - b));
		expect(new Set(indexes).size).toBe(indexes.length);
	});

	it("that are no longer kept are refused with the oldest that is", async () => {
		const node = await startNode({ maxEvents: 10 });
		await change(node, 40);
		const { oldestEventIndex } = node.replica.status();
		expect(oldestEventIndex).toBeGreaterThan(1);
		const listener = await Listener.open(node, "?from=1");
		expect(await listener.untilClosed()).toEqual({
			code: 4410,
			reason: `${oldestEventIndex}`,
		});
		expect(node.api.counters().eventsGone).toBe(1);
		const resumed = await Listener.open(node, `?from=${oldestEventIndex}`);
		await resumed.until(({ indexes }) => indexes.at(-1) === 40);
		expect(resumed.indexes).toEqual(range(oldestEventIndex, 40));
	});

	it("go on, all of them, for one that reads slowly, at a bounded cost", async () => {
		const node = await startNode({ limits: { maxUnsentBytes: 20_000 } });
		const listener = await Listener.open(node, "?from=1");
		listener.ws.pause();
		await change(node, 1500, long);
		expect(node.replica.subscribers).toBe(0);
		listener.ws.resume();
		await listener.until(({ indexes }) => indexes.length === 1500);
		expect(listener.indexes).toEqual(range(1, 1500));
	});

	it("end for one that never reads, with nobody else the slower for it", async () => {
		const node = await startNode({
			limits: { maxUnsentBytes: 20_000, stallTimeoutMs: 300 },
		});
		const deaf = await Listener.open(node, "?from=1");
		const listener = await Listener.open(node, "?from=1");
		deaf.ws.pause();
		await change(node, 2000, long);
		await listener.until(({ indexes }) => indexes.length === 2000);
		await eventually(() => node.api.counters().stalled === 1);
		await eventually(() => node.api.connections().websockets === 1);
		expect(listener.close).toBeNull();
	});

	it("end for one that answers no ping", async () => {
		const node = await startNode({ limits: { pingIntervalMs: 50 } });
		const listener = await Listener.open(node);
		const dead = new RawClient(node.api.port);
		dead.write(
			"GET /v1/events HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		);
		await dead.untilEnd();
		expect(dead.received).toContain("101 Switching Protocols");
		expect(node.api.counters().unresponsive).toBe(1);
		await put(node, "a", "1");
		await listener.until(({ indexes }) => indexes.length === 1);
	});
});

describe("requests over a WebSocket", () => {
	it("are answered under their ids, beside events", async () => {
		const node = await startNode();
		const listener = await Listener.open(node);
		listener.send({ id: 1, command: { op: "put", key: "a", value: "1" } });
		listener.send({ id: "two", query: { op: "get", key: "a" } });
		listener.send({
			id: 3,
			command: { op: "delete", key: "a" },
			ack: "commit",
			timeoutMs: 100,
		});
		const results = () =>
			listener.messages.filter(({ type }) => type === "result");
		await listener.until(() => results().length === 3);
		expect(results()).toEqual([
			{ type: "result", id: 1, index: 1, result: { version: 1 } },
			{
				type: "result",
				id: "two",
				index: 1,
				answer: { found: true, value: "1", version: 1 },
			},
			{ type: "result", id: 3, index: 2 },
		]);
		await listener.until(({ indexes }) => indexes.length === 2);
		expect(node.replica.proposals.at(-1)).toMatchObject({
			ack: "commit",
			deadlineMs: 100,
		});
	});

	it.each([
		["no JSON", "{", null],
		["no object", "[1]", null],
		["no id", '{"command":{}}', null],
		["an id beyond all numbers", '{"id":1e999,"openSession":true}', null],
		["neither command nor query", '{"id":4}', 4],
		["an unknown command", '{"id":5,"command":{"op":"incr"}}', 5],
		[
			"an unknown ack",
			'{"id":6,"command":{"op":"delete","key":"a"},"ack":1}',
			6,
		],
		[
			"an endless timeout",
			'{"id":7,"query":{"op":"get","key":"a"},"timeoutMs":1e9}',
			7,
		],
	])(
		"with %s are answered as invalid, and the connection goes on",
		async (_, text, id) => {
			const node = await startNode();
			const listener = await Listener.open(node);
			listener.ws.send(text);
			const errors = () =>
				listener.messages.filter(({ type }) => type === "error");
			await listener.until(() => errors().length === 1);
			expect(errors()[0]).toMatchObject({
				id,
				error: { code: "invalid", outcome: "rejected" },
			});
			listener.send({ id: 9, query: { op: "get", key: "a" } });
			await listener.until(({ messages }) =>
				messages.some((each) => each.id === 9),
			);
			expect(node.api.inflight()).toBe(0);
		},
	);

	it("tell rejected and unknown apart", async () => {
		const node = await startNode();
		const listener = await Listener.open(node);
		node.replica.nextOutcomes.push(
			{
				kind: "rejected",
				reason: "overloaded",
				message: "full",
				retryAfterMs: 9,
			},
			{ kind: "unknown", message: "cut off" },
		);
		const command = { op: "delete", key: "a" };
		listener.send({ id: 1, command });
		listener.send({ id: 2, command });
		await listener.until(({ messages }) => messages.some(({ id }) => id === 2));
		expect(listener.messages.filter(({ type }) => type === "error")).toEqual([
			{
				type: "error",
				id: 1,
				error: {
					code: "overloaded",
					outcome: "rejected",
					message: "full",
					retryAfterMs: 9,
				},
			},
			{
				type: "error",
				id: 2,
				error: { code: "unknown", outcome: "unknown", message: "cut off" },
			},
		]);
	});

	it("are taken on a bounded number at a time, and all are answered", async () => {
		const node = await startNode({ limits: { maxPendingRequests: 5 } });
		const listener = await Listener.open(node);
		node.replica.hold();
		for (let id = 1; id <= 5000; id += 1)
			listener.send({ id, query: { op: "get", key: "a" } });
		await eventually(() => node.replica.inflight >= 5);
		// What one read of the socket brings is taken; what follows waits in the network.
		expect(node.replica.inflight).toBeLessThan(5000);
		node.replica.release();
		await listener.until(
			({ messages }) =>
				messages.filter(({ type }) => type === "result").length === 5000,
		);
	});

	it("end on a frame that is too long, binary or garbage", async () => {
		const node = await startNode({ limits: { maxBodyBytes: 1000 } });
		const tooLong = await Listener.open(node);
		tooLong.ws.send("x".repeat(1001));
		expect(await tooLong.untilClosed()).toMatchObject({ code: 1009 });
		const binary = await Listener.open(node);
		binary.ws.send(Buffer.from("{}"));
		expect(await binary.untilClosed()).toMatchObject({ code: 1003 });
		const garbage = new WebSocket(`ws://127.0.0.1:${node.api.port}/v1/events`);
		const [, socket] = await Promise.all([
			once(garbage, "open"),
			once(garbage, "upgrade").then(([response]) => response.socket),
		]);
		garbage.on("error", () => {});
		socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
		expect((await once(garbage, "close"))[0]).toBe(1002);
		expect(node.api.counters().protocolErrors).toBe(2);
		await eventually(() => node.api.connections().total === 0);
	});
});

describe("a drain of WebSockets", () => {
	it("closes each with 1012 after its requests are answered, and what it missed is there elsewhere", async () => {
		const node = await startNode();
		const listener = await Listener.open(node, "?from=1");
		await change(node, 5);
		node.replica.hold();
		listener.send({ id: 1, command: { op: "put", key: "a", value: "1" } });
		await eventually(() => node.replica.inflight === 1);
		node.api.beginClosing(0);
		node.replica.release();
		expect(await listener.untilClosed()).toEqual({
			code: 1012,
			reason: "draining; reconnect",
		});
		expect(listener.messages.some(({ id }) => id === 1)).toBe(true);
		expect(listener.indexes).toEqual(range(1, listener.indexes.length));
		node.api.stopClosing();
		const next = (listener.indexes.at(-1) ?? 0) + 1;
		const resumed = await Listener.open(node, `?from=${next}`);
		await change(node, 1);
		await resumed.until(({ indexes }) => indexes.at(-1) === 7);
		expect([...listener.indexes, ...resumed.indexes]).toEqual(range(1, 7));
	});

	it("closes one after another over the time it is given, and stops when the drain ends", async () => {
		const node = await startNode();
		const listeners = await Promise.all(
			range(1, 10).map(() => Listener.open(node)),
		);
		node.api.beginClosing(600_000);
		await eventually(() => listeners.some(({ close }) => close !== null));
		node.api.stopClosing();
		await put(node, "a", "1");
		const open = listeners.filter(({ close }) => close === null);
		for (const listener of open)
			await listener.until(({ indexes }) => indexes.length === 1);
		expect(open.length).toBe(9);
	});

	it("closes all within the time, and refuses new ones meanwhile", async () => {
		const node = await startNode();
		const listeners = await Promise.all(
			range(1, 10).map(() => Listener.open(node)),
		);
		node.api.beginClosing(200);
		for (const listener of listeners)
			expect(await listener.untilClosed()).toMatchObject({ code: 1012 });
		await expect(Listener.open(node)).rejects.toThrow("503");
	});

	it("cuts off one that does not answer its close", async () => {
		const node = await startNode({ limits: { closeTimeoutMs: 100 } });
		const dead = new RawClient(node.api.port);
		dead.write(
			"GET /v1/events HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		);
		await dead.until((received) => received.includes("\r\n\r\n"));
		node.api.beginClosing(0);
		await dead.untilEnd();
		await eventually(() => node.api.connections().total === 0);
	});

	it("leaves nothing of one that is closed by its client", async () => {
		const node = await startNode();
		const listener = await Listener.open(node, "?from=1");
		await change(node, 1);
		expect(node.replica.subscribers).toBe(1);
		listener.ws.close();
		await eventually(() => node.api.connections().total === 0);
		expect(node.replica.subscribers).toBe(0);
	});
});

describe("the pace of closings", () => {
	it("is even: never ahead, never behind by more than one, all at the end", async () => {
		const { ClosingPace } = await import(
			"../../../src/daemon/api/closing-pace.js"
		);
		fc.assert(
			fc.property(
				fc.nat({ max: 500 }),
				fc.integer({ min: 1, max: 10_000 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(total, overMs, part) => {
					const pace = new ClosingPace(total, overMs);
					const due = pace.due(part * overMs);
					expect(due).toBeLessThanOrEqual(total);
					expect(due).toBeGreaterThanOrEqual(Math.floor(part * total));
					expect(due).toBeLessThanOrEqual(Math.floor(part * total) + 1);
					expect(pace.due(overMs)).toBe(total);
					expect(new ClosingPace(total, 0).due(0)).toBe(total);
					if (due < total)
						expect(pace.dueAtMs(due)).toBeGreaterThanOrEqual(
							part * overMs - 1e-6,
						);
				},
			),
		);
	});
});
