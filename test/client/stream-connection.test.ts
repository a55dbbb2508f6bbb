import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { Request } from "../../src/client/request.js";
import { StreamConnection } from "../../src/client/stream-connection.js";
import { FrameBatch } from "../../src/wire/client-frame-batch.js";

const server = createServer((socket) => socket.on("error", () => {}));
let socket: Socket;

afterEach(() => {
	socket.destroy();
	server.close();
});

/** A stream to a server that says nothing; counts how often it was left. */
async function silent() {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
	await once(socket, "connect");
	let left = 0;
	const stream = new StreamConnection(
		{ leader: null, socket, head: Buffer.alloc(0), features: new Set() },
		{
			onLeave: () => {
				left += 1;
			},
			...{ onAnswer() {}, onSession() {}, onFailed() {}, onLost() {} },
			...{ onUnsent() {}, onDrain() {}, onClosed() {} },
		},
	);
	return { stream, left: () => left };
}

function requestOf(words: Request["words"]): Request {
	return {
		words,
		...{ bytes: Buffer.from("c"), deadlineMs: performance.now() + 10 },
		...{
			place: null,
			isDoubtful: false,
			attempts: 0,
			order: 0,
			settled: false,
			resolve() {},
			reject() {},
		},
	};
}

function timedOut(stream: StreamConnection): void {
	const request = requestOf({
		kind: "command",
		ack: "apply",
		level: undefined,
	});
	stream.write([request], performance.now());
	request.settled = true;
}

const silenceMs = 100;
const longerMs = 2 * silenceMs;
const pass = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a stream that was idle for long", () => {
	it("is not taken for silent because of one short timeout", async () => {
		const { stream, left } = await silent();
		await pass(longerMs);
		timedOut(stream);
		stream.forgetSettled(silenceMs);
		expect(left()).toBe(0);
	});

	it("is left when nothing comes, however short the timeouts are", async () => {
		const { stream, left } = await silent();
		timedOut(stream);
		stream.forgetSettled(longerMs);
		await pass(longerMs + 50);
		timedOut(stream);
		stream.forgetSettled(longerMs);
		expect(left()).toBe(1);
	});
});

describe("a server that answers what was not asked", () => {
	const said = (write: (batch: FrameBatch) => void) => {
		const batch = new FrameBatch();
		write(batch);
		return batch.take();
	};
	const words = {
		command: { kind: "command", ack: "apply", level: undefined },
		session: { kind: "open-session", opened() {} },
	} as const;

	it.each([
		[
			"a session for a command",
			words.command,
			said((batch) => batch.session(1, 7, 1000)),
		],
		[
			"a result for a session",
			words.session,
			said((batch) => batch.result(1, 7, Buffer.from("r"))),
		],
	])(
		"loses the connection, and the request knows: %s",
		async (_what, asked, bytes) => {
			const lost: string[] = [];
			server.once("connection", (other) =>
				other.once("data", () => other.write(bytes)),
			);
			server.listen(0, "127.0.0.1");
			await once(server, "listening");
			socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
			await once(socket, "connect");
			const closed = new Promise<void>((resolve) => {
				const stream = new StreamConnection(
					{
						...{ leader: null, socket, head: Buffer.alloc(0) },
						features: new Set(["sessions"]),
					},
					{
						...{ onLeave() {}, onAnswer() {}, onSession() {}, onFailed() {} },
						...{ onUnsent() {}, onDrain() {}, onClosed() {} },
						onLost(_request, reason) {
							lost.push(reason);
							resolve();
						},
					},
				);
				stream.write([requestOf(asked)], performance.now());
			});
			await closed;
			expect(lost).toEqual([expect.stringContaining("broke the protocol")]);
		},
	);
});
