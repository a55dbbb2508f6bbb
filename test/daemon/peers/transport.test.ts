import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import { dial } from "../../../src/daemon/peers/transport.js";

it("small messages to a peer wait for nothing on their way (Nagle's algorithm is off)", async () => {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	const socket = dial(`127.0.0.1:${port}`);
	try {
		await once(socket, "connect");
		expect(noDelayOf(socket)).toBe(true);
	} finally {
		socket.destroy();
		server.close();
	}
});

it("a dialled address that makes no sense is a broken connection, not an exception", async () => {
	const socket = dial("127.0.0.1:70000");
	const [error] = await once(socket, "error");
	expect(String(error)).toContain("70000");
	expect(socket.destroyed).toBe(true);
});

/** What Node.js has told the kernel; there is no way to ask the kernel. */
function noDelayOf(socket: Socket): unknown {
	const key = Object.getOwnPropertySymbols(socket).find(
		({ description }) => description === "kSetNoDelay",
	);
	return key === undefined
		? "this Node.js keeps it elsewhere"
		: socket[key as keyof Socket];
}
