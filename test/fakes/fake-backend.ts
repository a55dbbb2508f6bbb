import {
	createServer as createHttpServer,
	type Server as HttpServer,
} from "node:http";
import {
	type AddressInfo,
	createServer,
	type Server,
	type Socket,
} from "node:net";
import type { BackendEntry } from "../../src/balancers/embedded/config.js";

export type FakeState =
	| "ready"
	| "draining"
	| "unready"
	| "silent"
	| "stranger";

/** A node as a balancer sees it: real sockets, /readyz that says what it is told to, and clients that are answered by `serve`. */
export class FakeBackend {
	readonly node: string;
	state: FakeState = "ready";
	readonly connections = new Set<Socket>();
	accepted = 0;
	checks = 0;
	#serve: (socket: Socket) => void;
	#client: Server;
	#admin: HttpServer;
	#clientPort = 0;
	#adminPort = 0;

	/** By default it says its name to whoever connects, then echoes. */
	constructor(node: string, serve?: (socket: Socket) => void) {
		this.node = node;
		this.#serve =
			serve ??
			((socket) => {
				socket.write(`${node}\n`);
				socket.pipe(socket);
			});
		this.#client = this.#clientServer();
		this.#admin = this.#adminServer();
	}

	get entry(): BackendEntry {
		return {
			node: this.node,
			client: `127.0.0.1:${this.#clientPort}`,
			admin: `127.0.0.1:${this.#adminPort}`,
		};
	}

	/** Listens, after the first time on the ports it had then. */
	async start(): Promise<this> {
		await this.startClients();
		this.#adminPort = await listen(this.#admin, this.#adminPort);
		return this;
	}

	async startClients(): Promise<void> {
		this.#clientPort = await listen(this.#client, this.#clientPort);
	}

	/** Like a process that is killed: nobody listens, and every connection is reset. */
	async stop(): Promise<void> {
		await Promise.all([this.stopClients(), this.stopAdmin()]);
	}

	/** Nobody listens for clients any more, while the checks go on. */
	async stopClients(): Promise<void> {
		const closed = new Promise((resolve) => this.#client.close(resolve));
		for (const socket of this.connections) socket.resetAndDestroy();
		await closed;
		this.#client = this.#clientServer();
	}

	async stopAdmin(): Promise<void> {
		const closed = new Promise((resolve) => this.#admin.close(resolve));
		this.#admin.closeAllConnections();
		await closed;
		this.#admin = this.#adminServer();
	}

	#clientServer(): Server {
		return createServer({ allowHalfOpen: true }, (socket) => {
			this.accepted++;
			this.connections.add(socket);
			socket.once("close", () => this.connections.delete(socket));
			socket.on("error", () => {});
			this.#serve(socket);
		});
	}

	#adminServer(): HttpServer {
		return createHttpServer((_request, response) => {
			this.checks++;
			if (this.state === "silent") return;
			if (this.state === "stranger") {
				response.end("hello\n");
				return;
			}
			response
				.writeHead(this.state === "ready" ? 200 : 503, {
					"raftd-state": this.state,
				})
				.end(this.state === "unready" ? unreadyBody : "\n");
		});
	}
}

/** As raftd has it: what is well comes first. */
const unreadyBody = `[+]started ok
[-]leader-known failed: no leader is known
[-]caught-up failed: 7 behind
[+]not-draining ok
failed
`;

async function listen(server: Server, port: number): Promise<number> {
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject).listen(port, "127.0.0.1", resolve);
	});
	return (server.address() as AddressInfo).port;
}
