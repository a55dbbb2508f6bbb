import http2, { type Http2ServerResponse } from "node:http2";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { openListener } from "../../../src/daemon/admin/listener.js";
import { freePort } from "../free-port.js";

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0).reverse()) await close();
});

async function listening(): Promise<number> {
	const port = await freePort();
	const listener = await openListener({
		address: `127.0.0.1:${port}`,
		key: "listen.admin",
		idleSessionMs: 50,
		handler(request, response) {
			response.writeHead(200);
			// Watched until the client has enough.
			if (request.url !== "/watch") response.end("ok");
			else (response as Http2ServerResponse).write("first");
		},
	});
	closing.push(() => listener.close());
	return port;
}

function dialled(port: number): Socket {
	const socket = connect(port, "127.0.0.1");
	closing.push(() => socket.destroy());
	return socket.on("error", () => {}).resume();
}

const ended = (socket: Socket) =>
	new Promise<void>((resolve) => socket.once("close", () => resolve()));

describe("the admin port's listener", () => {
	it("ends an HTTP/2 connection whose other side broke the protocol and left", async () => {
		const socket = dialled(await listening());
		socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
		socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
		socket.end(Buffer.alloc(60, 0xff));
		await ended(socket);
	});

	it("ends an HTTP/2 connection on which nothing is asked, and no other", async () => {
		const port = await listening();
		const idle = http2.connect(`http://127.0.0.1:${port}`);
		const watching = http2.connect(`http://127.0.0.1:${port}`);
		closing.push(() => watching.destroy());
		const call = watching.request({ ":path": "/watch" });
		const heard: string[] = [];
		call.setEncoding("utf8").on("data", (text) => heard.push(text));
		await new Promise((resolve) => idle.once("close", resolve));
		const asked = watching.request({ ":path": "/" });
		const answer = await asked.setEncoding("utf8").toArray();
		expect(answer).toEqual(["ok"]);
		expect(heard).toEqual(["first"]);
		expect(call.closed).toBe(false);
	});
});
