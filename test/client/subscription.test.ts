import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import {
	connectKeyValue,
	type KeyValueClient,
} from "../../src/client/index.js";
import { freePort } from "../daemon/free-port.js";
import { cutting, kept, serving } from "./cluster.js";

const patient = { timeout: 20_000, interval: 5 };

/** Watches, and writes down all that it is told. */
function watching(
	client: KeyValueClient,
	from?: number,
	giveUpAfterMs?: number,
) {
	const told: [number, unknown][] = [];
	const moves: string[] = [];
	const ends: (Error | null)[] = [];
	const progress: number[] = [];
	const subscription = client.watch({
		...(from === undefined ? {} : { from }),
		...(giveUpAfterMs === undefined ? {} : { giveUpAfterMs }),
		onChange: (index, change) => told.push([index, change.key]),
		onProgress: (index) => progress.push(index),
		onMove: (reason) => moves.push(reason),
		onEnd: (error) => ends.push(error),
	});
	const indexes = () => told.map(([index]) => index);
	return { subscription, told, moves, ends, progress, indexes };
}

const upTo = (last: number, first = 1) =>
	Array.from({ length: last - first + 1 }, (_, i) => first + i);

async function write(client: KeyValueClient, count: number) {
	for (let i = 0; i < count; i++) await client.put(`k${i}`, `${i}`);
}

/** A message of the events from `first` to `last`. */
function run(first: number, last: number): string {
	const events = upTo(last, first).map((index) => ({
		index,
		event: { op: "delete", key: `k${index}` },
	}));
	return JSON.stringify({ type: "events", events });
}

const servers: WebSocketServer[] = [];

afterEach(async () => {
	for (const server of servers.splice(0)) {
		for (const socket of server.clients) socket.terminate();
		await new Promise((resolve) => server.close(resolve));
	}
});

/** A server that says what `speak` has it say, and a client of it. */
async function speaking(
	speak: (socket: WebSocket, connection: number) => void,
) {
	const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
	servers.push(server);
	await new Promise((resolve) => server.once("listening", resolve));
	let connections = 0;
	/** Settles when the first connection has ended. */
	const left = new Promise<void>((resolve) => {
		server.on("connection", (socket) => {
			socket.once("close", () => resolve());
			connections += 1;
			speak(socket, connections);
		});
	});
	const { port } = server.address() as AddressInfo;
	const client = kept(connectKeyValue({ endpoints: [`127.0.0.1:${port}`] }));
	return { client, left };
}

describe("a subscription", () => {
	it("names the node that serves it, also after a move, and none without a connection", async () => {
		const { apis, endpoints } = await serving(2);
		const client = kept(connectKeyValue({ endpoints }));
		const { subscription, moves } = watching(client);
		expect(subscription.node).toBeNull();
		await subscription.ready;
		const first = subscription.node;
		expect(["n1", "n2"]).toContain(first);
		apis[first === "n1" ? 0 : 1]?.beginClosing(0);
		await vi.waitFor(() => expect(moves).toHaveLength(1), patient);
		expect(subscription.node).toBe(first === "n1" ? "n2" : "n1");
		subscription.close();
		expect(subscription.node).toBeNull();
	});

	it("does not know the node when the server does not say", async () => {
		const { client } = await speaking((socket) => socket.send(run(1, 1)));
		const { subscription } = watching(client, 1);
		await subscription.ready;
		expect(subscription.node).toBeNull();
	});

	it("tells of what happens from now on", async () => {
		const { endpoints } = await serving(1);
		const client = kept(connectKeyValue({ endpoints }));
		await write(client, 3);
		const { subscription, told, ends } = watching(client);
		expect(await subscription.ready).toBe(4);
		await client.put("a", Buffer.from([0xff]));
		await client.delete("a");
		await vi.waitFor(
			() =>
				expect(told).toEqual([
					[4, "a"],
					[5, "a"],
				]),
			patient,
		);
		subscription.close();
		expect(ends).toEqual([null]);
		await client.put("b", "");
		expect(told).toHaveLength(2);
	});

	it("tells of what happened from an index on", async () => {
		const { endpoints } = await serving(1);
		const client = kept(connectKeyValue({ endpoints }));
		await write(client, 10);
		const { subscription, indexes } = watching(client, 4);
		expect(await subscription.ready).toBe(4);
		await vi.waitFor(() => expect(indexes()).toEqual(upTo(10, 4)), patient);
		expect(subscription.next).toBe(11);
	});

	it("knows where to resume though nothing was to be told", async () => {
		const { endpoints } = await serving(1);
		const client = kept(connectKeyValue({ endpoints }));
		const { subscription, told, progress } = watching(client);
		await subscription.ready;
		await client.delete("nothing");
		await client.delete("nothing");
		await vi.waitFor(() => expect(progress.at(-1)).toBe(2), patient);
		expect(told).toEqual([]);
		expect(subscription.next).toBe(3);
	});

	it("moves to another node when its own leaves, once, without a gap or a duplicate", async () => {
		const { endpoints, apis } = await serving(2);
		const client = kept(connectKeyValue({ endpoints }));
		const watchers = Array.from({ length: 10 }, () => watching(client));
		await Promise.all(watchers.map(({ subscription }) => subscription.ready));
		const writing = write(client, 300);
		apis[0]?.beginClosing(50);
		await writing;
		const onFirst = watchers.filter(({ moves }) => moves.length > 0);
		for (const { indexes, subscription, moves, ends } of watchers) {
			await vi.waitFor(() => expect(indexes()).toEqual(upTo(300)), patient);
			expect(subscription.moves).toBe(moves.length);
			expect(moves.length).toBeLessThanOrEqual(1);
			expect(ends).toEqual([]);
		}
		await vi.waitFor(
			() => expect(apis[0]?.connections().websockets).toBe(0),
			patient,
		);
		expect(apis[1]?.connections().websockets).toBe(10);
		for (const { moves } of onFirst)
			expect(moves).toEqual(["draining; reconnect"]);
	});

	it("misses nothing and hears nothing twice, wherever its connections break", async () => {
		const cut = fc.record({
			direction: fc.constant("down" as const),
			afterBytes: fc.integer({ min: 0, max: 4_000 }),
		});
		await fc.assert(
			fc.asyncProperty(
				fc.array(cut, { maxLength: 8 }),
				fc.boolean(),
				async (cuts, fromNow) => {
					const { endpoints } = await serving(1);
					const proxy = await cutting(endpoints[0] ?? "", cuts);
					const writer = connectKeyValue({ endpoints });
					const watcher = connectKeyValue({ endpoints: [proxy.address] });
					const { subscription, indexes } = watching(watcher, fromNow ? 0 : 1);
					const first = await subscription.ready;
					expect(first).toBe(1);
					await write(writer, 100);
					await vi.waitFor(() => expect(indexes()).toEqual(upTo(100)), patient);
					await Promise.all([writer.close(), watcher.close()]);
				},
			),
			{ numRuns: 20 },
		);
	});

	it("ends with the oldest index when what it asks for is no longer kept", async () => {
		const { endpoints, replica } = await serving(1, { maxEvents: 10 });
		const client = kept(connectKeyValue({ endpoints }));
		await write(client, 50);
		const { ends } = watching(client, 2);
		await vi.waitFor(() => expect(ends).toHaveLength(1), patient);
		expect(ends[0]).toMatchObject({
			name: "EventsGoneError",
			wantedIndex: 2,
			oldestIndex: replica.status().oldestEventIndex,
		});
	});

	it("gives up when nobody is there for too long", async () => {
		const client = kept(
			connectKeyValue({ endpoints: [`127.0.0.1:${await freePort()}`] }),
		);
		const { ends, subscription } = watching(client, 1, 50);
		await expect(subscription.ready).rejects.toMatchObject({
			reason: "unreachable",
		});
		expect(ends).toHaveLength(1);
	});

	it("ends when what answers has no events", async () => {
		const server = createServer((_request, response) => {
			response.writeHead(404).end();
		});
		await new Promise<void>((resolve) =>
			server.listen(0, "127.0.0.1", resolve),
		);
		const { port } = server.address() as AddressInfo;
		const client = kept(connectKeyValue({ endpoints: [`127.0.0.1:${port}`] }));
		const { subscription } = watching(client, 1);
		await expect(subscription.ready).rejects.toMatchObject({
			reason: "unsupported",
			message: expect.stringContaining("404"),
		});
		server.close();
	});

	it("is told what is new in a run that began before, after its connection broke", async () => {
		const server = await speaking((socket, connection) => {
			if (connection === 1) socket.send(run(4, 6), () => socket.close());
			else socket.send(run(5, 9));
		});
		const { subscription, indexes, moves } = watching(server.client, 4);
		await vi.waitFor(() => expect(indexes()).toEqual(upTo(9, 4)), patient);
		expect(subscription.next).toBe(10);
		expect(moves).toHaveLength(1);
	});

	it("that is closed in the middle of a run is told no more of it", async () => {
		const server = await speaking((socket) => {
			socket.send(run(1, 5));
			socket.send(run(6, 9));
		});
		const told: number[] = [];
		const ended = new Promise((onEnd) => {
			const subscription = server.client.watch({
				from: 1,
				onChange: (index) => {
					told.push(index);
					// Where to resume is right at each event, not only after the last of a run.
					expect(subscription.next).toBe(index + 1);
					if (index === 3) subscription.close();
				},
				onEnd,
			});
		});
		expect(await ended).toBeNull();
		await server.left;
		expect(told).toEqual([1, 2, 3]);
	});

	it.each([
		"no JSON",
		"null",
		'{"type":"progress"}',
		'{"type":"events"}',
		'{"type":"events","events":[]}',
		'{"type":"events","events":[null]}',
		'{"type":"events","events":[{"index":7},{"index":"8"}]}',
	])("ends when it is told %s", async (text) => {
		const server = await speaking((socket) => socket.send(text));
		const { ends, told } = watching(server.client);
		await vi.waitFor(() => expect(ends).toHaveLength(1), patient);
		expect(ends[0]).toMatchObject({ reason: "unsupported" });
		expect(told).toEqual([]);
	});

	it("ends with its client", async () => {
		const { endpoints, apis } = await serving(1);
		const client = connectKeyValue({ endpoints });
		const { ends, subscription } = watching(client);
		await subscription.ready;
		await client.close();
		expect(ends).toEqual([null]);
		await vi.waitFor(
			() => expect(apis[0]?.connections().total).toBe(0),
			patient,
		);
	});
});
