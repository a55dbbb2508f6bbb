import {
	createServer,
	type IncomingMessage,
	request,
	type Server,
	type ServerResponse,
} from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** What becomes of an upgrade: the header is dropped, it is refused with this status, or 101 comes for nothing. */
export type UpgradeFate = "dropped" | number;

/** A reverse proxy that lets requests pass and no upgrade, as many in the field do. */
export class HttpProxy {
	/** Requests that were passed on; upgrades that were asked for. */
	passed = 0;
	upgrades = 0;
	/** The next answers are not passed on: the proxy says this instead. */
	readonly nextStatuses: number[] = [];
	/** Speaks HTTP/1.0 to its clients: one request a connection. */
	isOld = false;
	fate: UpgradeFate;
	readonly #target: string;
	readonly #server: Server;
	readonly #sockets = new Set<Socket>();

	constructor(target: string, fate: UpgradeFate) {
		this.#target = target;
		this.fate = fate;
		this.#server = createServer((incoming, response) =>
			this.#pass(incoming, response),
		);
		this.#server.on("upgrade", (incoming: IncomingMessage, socket: Socket) => {
			this.upgrades++;
			if (this.fate === "dropped") this.#passRaw(incoming, socket);
			else socket.end(rawAnswer(this.fate));
		});
		this.#server.on("connection", (socket) => {
			this.#sockets.add(socket);
			socket.on("error", () => {});
			socket.on("close", () => this.#sockets.delete(socket));
		});
	}

	get address(): string {
		return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
	}

	get connections(): number {
		return this.#sockets.size;
	}

	async start(): Promise<this> {
		await new Promise<void>((resolve) =>
			this.#server.listen(0, "127.0.0.1", resolve),
		);
		return this;
	}

	async stop(): Promise<void> {
		const closed = new Promise((resolve) => this.#server.close(resolve));
		for (const socket of this.#sockets) socket.destroy();
		await closed;
	}

	#pass(incoming: IncomingMessage, response: ServerResponse): void {
		this.passed++;
		const [host, port] = this.#target.split(":");
		const { method = "", url = "", headers } = incoming;
		const outgoing = request(
			{ host, port: Number(port), method, path: url, headers, agent: false },
			(answer) => {
				const status = this.nextStatuses.shift();
				if (status !== undefined) {
					answer.resume();
					response.writeHead(status).end("<html>");
					return;
				}
				const own = this.isOld ? { connection: "close" } : {};
				response.writeHead(answer.statusCode ?? 502, {
					...answer.headers,
					...own,
				});
				answer.pipe(response);
			},
		);
		outgoing.on("error", () => response.destroy());
		incoming.pipe(outgoing);
	}

	/** As a plain request, whose answer goes out on the socket that asked for an upgrade. */
	#passRaw({ url = "" }: IncomingMessage, socket: Socket): void {
		const [host, port] = this.#target.split(":");
		const outgoing = request(
			{ host, port: Number(port), path: url, agent: false },
			(answer) => {
				answer.resume();
				socket.end(rawAnswer(answer.statusCode ?? 502));
			},
		);
		outgoing.on("error", () => socket.destroy());
		outgoing.end();
	}
}

function rawAnswer(status: number): string {
	return `HTTP/1.1 ${status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
}
