import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { connectRaft } from "../../src/client/index.js";

const closing: (() => unknown)[] = [];
afterEach(() => {
	for (const close of closing.splice(0)) close();
});

async function listening(onSocket: (socket: Socket) => void): Promise<string> {
	const server = createServer((socket) => {
		socket.on("error", () => {});
		closing.push(() => socket.destroy());
		onSocket(socket);
	});
	closing.push(() => server.close());
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("a client that turns to the leader", () => {
	it("outlives the loss of the connection that it left waiting meanwhile", async () => {
		let first: Socket | null = null;
		const leader = await listening((socket) => {
			first?.resetAndDestroy();
			// It takes the connection, and is never heard of again.
			socket.resume();
		});
		const follower = await listening((socket) => {
			first = socket;
			socket.once("data", () =>
				socket.write(
					`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raftd-stream/1\r\nraftd-leader: ${leader}\r\n\r\n`,
				),
			);
		});
		const client = connectRaft({
			endpoints: [follower, leader],
			...{ timeoutMs: 300, connectTimeoutMs: 100 },
		});
		await expect(client.query(Buffer.from("q"))).rejects.toMatchObject({
			name: "NotDoneError",
		});
		await client.close();
	});
});
