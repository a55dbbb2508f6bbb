import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { relay } from "../../../src/balancers/embedded/relay.js";

/** Two ends of a relayed connection: what the client holds and what the node holds. */
async function relayed(halfOpenTimeoutMs = 60_000) {
	const state = { closed: 0 };
	const [node, upstream] = await connectedPair();
	const [client, accepted] = await connectedPair();
	for (const socket of [node, client, upstream, accepted])
		socket.on("error", () => {});
	relay(accepted, upstream, {
		halfOpenTimeoutMs,
		onClosed: () => {
			state.closed++;
		},
	});
	ends.push(node, client);
	return { client, node, state, inner: { accepted, upstream } };
}

const ends: Socket[] = [];
afterEach(() => {
	for (const socket of ends.splice(0)) socket.destroy();
});

async function connectedPair(): Promise<[Socket, Socket]> {
	const server = createServer({ allowHalfOpen: true });
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const accepted = new Promise<Socket>((resolve) =>
		server.once("connection", resolve),
	);
	const outer = connect({
		port: (server.address() as AddressInfo).port,
		host: "127.0.0.1",
		allowHalfOpen: true,
	});
	const inner = await accepted;
	server.close();
	return [outer, inner];
}

/** Not by iterating: that would destroy the socket at its end, and with it the other direction. */
function readAll(socket: Socket): Promise<Buffer> {
	return new Promise((resolve) => {
		const chunks: Buffer[] = [];
		socket.on("data", (chunk: Buffer) => chunks.push(chunk));
		socket.once("end", () => resolve(Buffer.concat(chunks)));
	});
}

const messages = fc.array(
	fc
		.tuple(fc.integer({ min: 0, max: 200_000 }), fc.nat(255))
		.map(([length, fill]) => Buffer.alloc(length, fill)),
	{ maxLength: 8 },
);

function send(socket: Socket, chunks: readonly Buffer[]): void {
	for (const chunk of chunks) socket.write(chunk);
	socket.end();
}

describe("a relayed connection", () => {
	it("carries every byte in order in both directions at the same time", async () => {
		await fc.assert(
			fc.asyncProperty(messages, messages, async (up, down) => {
				const { client, node, state } = await relayed();
				send(client, up);
				send(node, down);
				const [atNode, atClient] = await Promise.all([
					readAll(node),
					readAll(client),
				]);
				expect(atNode.equals(Buffer.concat(up))).toBe(true);
				expect(atClient.equals(Buffer.concat(down))).toBe(true);
				await vi.waitFor(() => expect(state.closed).toBe(1));
			}),
			{ numRuns: 40 },
		);
	});

	it("passes an end on and still carries the other direction", async () => {
		const { client, node, state } = await relayed();
		client.end("question");
		expect((await readAll(node)).toString()).toBe("question");
		expect(state.closed).toBe(0);
		node.end("answer, given after the question's end");
		expect((await readAll(client)).toString()).toBe(
			"answer, given after the question's end",
		);
		await vi.waitFor(() => expect(state.closed).toBe(1));
	});

	it("holds no more than a chunk or two for a side that takes nothing, and loses none of it", async () => {
		const { client, node, inner } = await relayed();
		const total = 64 * 1024 * 1024;
		let heldMax = 0;
		inner.upstream.on("data", () => {
			heldMax = Math.max(heldMax, inner.accepted.writableLength);
		});
		client.pause();
		send(
			node,
			Array.from({ length: 64 }, () => Buffer.alloc(total / 64, 7)),
		);
		await vi.waitFor(
			() => expect(inner.accepted.writableNeedDrain).toBe(true),
			{ timeout: 10_000 },
		);
		const received = await readAll(client.resume());
		expect(received.equals(Buffer.alloc(total, 7))).toBe(true);
		expect(heldMax).toBeGreaterThan(0);
		expect(heldMax).toBeLessThan(256 * 1024);
	});

	it("passes a reset of the node on as a reset", async () => {
		const { client, node, state } = await relayed();
		const failed = new Promise<NodeJS.ErrnoException>((resolve) =>
			client.once("error", resolve),
		);
		node.write("half an ans");
		await new Promise((resolve) => client.once("data", resolve));
		node.resetAndDestroy();
		expect((await failed).code).toBe("ECONNRESET");
		await vi.waitFor(() => expect(state.closed).toBe(1));
	});

	it("passes a reset of the client on as a reset", async () => {
		const { client, node, state } = await relayed();
		const failed = new Promise<NodeJS.ErrnoException>((resolve) =>
			node.once("error", resolve),
		);
		node.resume();
		client.resetAndDestroy();
		expect((await failed).code).toBe("ECONNRESET");
		await vi.waitFor(() => expect(state.closed).toBe(1));
	});

	it("does not keep a connection for ever that one side has left and the other forgot", async () => {
		const { client, node, state } = await relayed(50);
		node.resume();
		client.end();
		await vi.waitFor(() => expect(state.closed).toBe(1), { timeout: 10_000 });
	});
});
