import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { afterEach } from "vitest";
import { WebSocket } from "ws";
import {
	type ClientApi,
	startClientApi,
} from "../../../src/daemon/api/client-api.js";
import type { ApiLimits } from "../../../src/daemon/api/context.js";
import { kv } from "../../../src/machines/kv/machine.js";
import type { Machine } from "../../../src/machines/machine.js";
import { FrameBatch } from "../../../src/wire/client-frame-batch.js";
import { decodeResponseFrame } from "../../../src/wire/client-frame-reader.js";
import {
	bodyHeaderBytes,
	maxResponseFrameBytes,
	type ResponseFrame,
} from "../../../src/wire/client-frames.js";
import { FrameSplitter } from "../../../src/wire/frame-splitter.js";
import { FakeReplica } from "../../fakes/fake-replica.js";

export interface Node {
	readonly api: ClientApi;
	readonly replica: FakeReplica;
	readonly url: string;
}

const open: (() => unknown)[] = [];

afterEach(async () => {
	for (const close of open.splice(0).reverse()) await close();
});

/** A client port over a machine that really runs; closed after the test. */
export async function startNode(
	options: {
		limits?: Partial<ApiLimits>;
		machine?: Machine;
		maxEvents?: number;
	} = {},
): Promise<Node> {
	const machine = options.machine ?? (kv as Machine);
	const replica = new FakeReplica(machine, {
		...(options.maxEvents === undefined
			? {}
			: { maxEvents: options.maxEvents }),
	});
	const api = await startClientApi({
		replica,
		machine,
		listen: "127.0.0.1:0",
		nodeId: "n1",
		limits: { closeTimeoutMs: 500, ...options.limits },
	});
	open.push(async () => {
		await replica.close();
		await api.close();
	});
	return { api, replica, url: `http://127.0.0.1:${api.port}` };
}

export interface Answer {
	readonly status: number;
	readonly headers: Headers;
	// biome-ignore lint/suspicious/noExplicitAny: whatever JSON the server sent
	readonly json: any;
}

export async function ask(
	url: string,
	body?: unknown,
	init: RequestInit = {},
): Promise<Answer> {
	const response = await fetch(url, {
		...(body === undefined
			? {}
			: { method: "POST", body: JSON.stringify(body) }),
		...init,
	});
	return {
		status: response.status,
		headers: response.headers,
		json: await response.json(),
	};
}

export function put(node: Node, key: string, value: string) {
	return ask(`${node.url}/v1/command`, { op: "put", key, value });
}

/** Bytes in, bytes out. */
export class RawClient {
	readonly socket: Socket;
	received = "";
	ended = false;
	#wake: (() => void) | null = null;

	constructor(port: number, { allowHalfOpen = false } = {}) {
		this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen });
		this.socket.setEncoding("latin1");
		this.socket.on("data", (text) => {
			this.received += text;
			this.#wake?.();
		});
		const end = () => {
			this.ended = true;
			this.#wake?.();
		};
		this.socket.on("end", end);
		this.socket.on("close", end);
		this.socket.on("error", () => {});
		open.push(() => this.socket.destroy());
	}

	write(text: string | Buffer): void {
		this.socket.write(text, "latin1");
	}

	async until(done: (received: string) => boolean): Promise<string> {
		while (!done(this.received)) {
			if (this.ended)
				throw new Error(`ended after ${JSON.stringify(this.received)}`);
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
		return this.received;
	}

	async untilEnd(): Promise<string> {
		while (!this.ended)
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		return this.received;
	}
}

/** The stream as a client speaks it. */
export class StreamClient {
	readonly batch = new FrameBatch();
	readonly answers: ResponseFrame[] = [];
	readonly socket: Socket;
	ended = false;
	#wake: (() => void) | null = null;

	private constructor(socket: Socket) {
		this.socket = socket;
		const splitter = new FrameSplitter({
			minFrameBytes: bodyHeaderBytes,
			maxFrameBytes: maxResponseFrameBytes,
		});
		socket.on("data", (chunk: Buffer) => {
			splitter.push(chunk, (frame) =>
				this.answers.push(decodeResponseFrame(frame)),
			);
			this.#wake?.();
		});
		const end = () => {
			this.ended = true;
			this.#wake?.();
		};
		socket.on("end", end);
		socket.on("close", end);
		socket.on("error", () => {});
	}

	static async open(node: Node): Promise<StreamClient> {
		const raw = connect(node.api.port, "127.0.0.1");
		open.push(() => raw.destroy());
		raw.write(
			"GET /v1/stream HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: raftd-stream/1\r\n\r\n",
		);
		let head = "";
		while (!head.includes("\r\n\r\n")) {
			const [chunk] = (await once(raw, "data")) as [Buffer];
			head += chunk.toString("latin1");
		}
		if (!head.startsWith("HTTP/1.1 101 "))
			throw new Error(`no stream: ${head}`);
		return new StreamClient(raw);
	}

	send(): void {
		this.socket.write(this.batch.take());
	}

	async until(
		done: (answers: readonly ResponseFrame[]) => boolean,
	): Promise<readonly ResponseFrame[]> {
		while (!done(this.answers)) {
			if (this.ended)
				throw new Error(`ended after ${this.answers.length} answers`);
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
		return this.answers;
	}

	async untilEnd(): Promise<readonly ResponseFrame[]> {
		while (!this.ended)
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		return this.answers;
	}
}

/** Collects what a WebSocket is told. */
export class Listener {
	// biome-ignore lint/suspicious/noExplicitAny: whatever JSON the server sent
	readonly messages: any[] = [];
	readonly ws: WebSocket;
	close: { code: number; reason: string } | null = null;
	#wake: (() => void) | null = null;

	private constructor(node: Node, query: string) {
		this.ws = new WebSocket(
			`ws://127.0.0.1:${node.api.port}/v1/events${query}`,
		);
		this.ws.on("message", (data) => {
			this.messages.push(JSON.parse(`${data}`));
			this.#wake?.();
		});
		this.ws.on("close", (code, reason) => {
			this.close = { code, reason: `${reason}` };
			this.#wake?.();
		});
		this.ws.on("error", () => {});
		open.push(() => this.ws.terminate());
	}

	static async open(node: Node, query = ""): Promise<Listener> {
		const listener = new Listener(node, query);
		await once(listener.ws, "open");
		return listener;
	}

	/** The events so far, from all messages. */
	get events(): { index: number; event: unknown }[] {
		return this.messages.flatMap(({ type, events }) =>
			type === "events" ? events : [],
		);
	}

	get indexes(): number[] {
		return this.events.map(({ index }) => index);
	}

	send(message: unknown): void {
		this.ws.send(JSON.stringify(message));
	}

	async until(done: (listener: Listener) => boolean): Promise<this> {
		while (!done(this)) {
			if (this.close !== null)
				throw new Error(`closed: ${JSON.stringify(this.close)}`);
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
		return this;
	}

	async untilClosed(): Promise<{ code: number; reason: string }> {
		while (this.close === null)
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		return this.close;
	}
}

/** Waits for something that no event tells. */
export async function eventually(done: () => boolean): Promise<void> {
	while (!done()) await new Promise((resolve) => setTimeout(resolve, 5));
}
