import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import {
	type Caller,
	openHttpCaller,
} from "../../../src/operations/canary/caller.js";

const servers: Server[] = [];
const callers: Caller[] = [];

afterEach(async () => {
	for (const caller of callers.splice(0)) caller.close();
	for (const server of servers.splice(0)) {
		server.closeAllConnections();
		await new Promise((done) => server.close(done));
	}
});

async function serve(listener: RequestListener): Promise<string> {
	const server = createServer({ keepAliveTimeout: 60_000 }, listener);
	servers.push(server);
	await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
	return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function open(...addresses: string[]): Caller {
	const caller = openHttpCaller(addresses);
	callers.push(caller);
	return caller;
}

const ask = { method: "POST", path: "/a", body: "{}" } as const;
const limits = { timeoutMs: 10_000, signal: new AbortController().signal };

/** An address at which nobody listens: it was somebody's a moment ago. */
async function deserted(): Promise<string> {
	const address = await serve(() => undefined);
	const server = servers.pop();
	await new Promise((done) => server?.close(done));
	return address;
}

describe("a canary's connection", () => {
	it("is one, kept for all requests", async () => {
		const seen = new Set<Socket>();
		const address = await serve((request, response) => {
			seen.add(request.socket);
			response.end(request.url);
		});
		const caller = open(address);
		for (let n = 0; n < 5; n++)
			expect(await caller.call(ask, limits)).toEqual({
				...{ status: 200, body: "/a" },
			});
		expect([seen.size, caller.connections]).toEqual([1, 1]);
	});

	it("is replaced, with no request failed, when the server said that it would be closed", async () => {
		const address = await serve((_, response) => {
			response.setHeader("connection", "close");
			response.end();
		});
		const caller = open(address);
		await caller.call(ask, limits);
		await caller.call(ask, limits);
		expect(caller.connections).toBe(2);
	});

	it("is replaced, with no request failed, when it was ended while nothing was under way", async () => {
		const sockets: Socket[] = [];
		const address = await serve((request, response) => {
			sockets.push(request.socket);
			response.end();
		});
		const caller = open(address);
		await caller.call(ask, limits);
		const closed = new Promise((done) => sockets[0]?.once("close", done));
		sockets[0]?.end();
		await closed;
		// The other side has closed as well, so it has seen the end.
		await caller.call(ask, limits);
		expect(caller.connections).toBe(2);
	});

	it("that is cut without a word before it answers a later request is a failure, told as such, and is not tried again", async () => {
		let requests = 0;
		const address = await serve((request, response) => {
			requests++;
			if (requests === 2) request.socket.destroy();
			else response.end();
		});
		const caller = open(address);
		await caller.call(ask, limits);
		await expect(caller.call(ask, limits)).rejects.toThrow(
			/^the connection, in use before and not announced to be closed, was cut/,
		);
		expect(requests).toBe(2);
		await caller.call(ask, limits);
		expect([requests, caller.connections]).toEqual([3, 2]);
	});

	it("that breaks within an answer is a failure", async () => {
		const address = await serve((_, response) => {
			response.writeHead(200, { "content-length": "100" });
			response.write("half", () => response.destroy());
		});
		await expect(open(address).call(ask, limits)).rejects.toThrow();
	});

	it("without an answer in time is a failure, and is given up", async () => {
		let requests = 0;
		const address = await serve((_, response) => {
			if (++requests > 1) response.end();
		});
		const caller = open(address);
		const patience = { ...limits, timeoutMs: 30 };
		await expect(caller.call(ask, patience)).rejects.toThrow(
			"no answer within 30 ms",
		);
		await caller.call(ask, limits);
		expect(caller.connections).toBe(2);
	});

	it("hands over answers of any status, and none over a mebibyte", async () => {
		const address = await serve((request, response) => {
			response.statusCode = 503;
			response.end(request.method === "GET" ? "x".repeat(1_100_000) : "no");
		});
		const caller = open(address);
		expect(await caller.call(ask, limits)).toEqual({ status: 503, body: "no" });
		const get = { ...ask, method: "GET", body: null } as const;
		await expect(caller.call(get, limits)).rejects.toThrow("an answer over");
	});
});

describe("a canary's connection to one of several nodes", () => {
	it("goes to the next where nobody takes it, and nothing was sent", async () => {
		const there = await serve((_, response) => response.end("there"));
		const caller = open(await deserted(), there);
		expect((await caller.call(ask, limits)).body).toBe("there");
		expect(caller.connections).toBe(1);
	});

	it("fails when none takes it", async () => {
		const caller = open(await deserted(), await deserted());
		await expect(caller.call(ask, limits)).rejects.toThrow("ECONNREFUSED");
	});

	it("goes to the next after a node has said that the connection is to be closed", async () => {
		const leaving = await serve((_, response) => {
			response.setHeader("connection", "close");
			response.end("leaving");
		});
		const staying = await serve((_, response) => response.end("staying"));
		const caller = open(leaving, staying);
		const answers: string[] = [];
		for (let n = 0; n < 3; n++)
			answers.push((await caller.call(ask, limits)).body);
		expect(answers).toEqual(["leaving", "staying", "staying"]);
	});

	it("never sends to a second node what the first did not answer", async () => {
		let second = 0;
		const first = await serve((request) => request.socket.destroy());
		const other = await serve((_, response) => {
			second++;
			response.end();
		});
		const caller = open(first, other);
		await expect(caller.call(ask, limits)).rejects.toThrow();
		expect(second).toBe(0);
	});
});
