import http from "node:http";
import http2, { type ServerHttp2Session } from "node:http2";
import net, { type Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { listen } from "../listen.js";
import type { Credentials } from "../tls/credentials.js";
import { trackHandshakes } from "../tls/handshakes.js";
import { strict } from "../tls/strict.js";

/**
 * One port for HTTP/1.1 and HTTP/2 (gRPC). Over TLS the handshake agrees on one of them; in plain text the client knows
 * beforehand, and the first three bytes tell them apart.
 */
export async function openListener(
	options: ListenerOptions,
): Promise<AdminListener> {
	const first = http.createServer(
		{ headersTimeout: sniffTimeoutMs, requestTimeout: requestTimeoutMs },
		options.handler,
	);
	const second = http2.createServer(
		{ settings: { maxConcurrentStreams: 64 } },
		options.handler,
	);
	second.on("session", (session) =>
		endWhenIdle(session, options.idleSessionMs ?? idleSessionMs),
	);
	const sockets = new Set<Socket>();
	const keep = (socket: Socket) => {
		sockets.add(socket);
		socket.on("close", () => sockets.delete(socket));
		socket.on("error", () => socket.destroy());
	};
	const { credentials } = options;
	const { server, abandon } = credentials
		? secureServer(credentials, (socket) => {
				keep(socket);
				const server = socket.alpnProtocol === "h2" ? second : first;
				server.emit("connection", socket);
			})
		: {
				server: net.createServer((socket) => {
					keep(socket);
					sniff(socket, { first, second });
				}),
				abandon() {},
			};
	server.maxConnections = connectionsMax;
	await listen(server, options.address, options.key);
	return {
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				abandon();
				for (const socket of sockets) endSoon(socket);
			}),
	};
}

interface ListenerOptions {
	/** host:port */
	readonly address: string;
	/** The configuration's key for the address, for error sentences. */
	readonly key: string;
	/** Without a call, and without a word, an HTTP/2 connection ends after this time. */
	readonly idleSessionMs?: number;
	/** Null, the default: plain text. */
	readonly credentials?: Credentials | null;
	readonly handler: (
		request: http.IncomingMessage | http2.Http2ServerRequest,
		response: http.ServerResponse | http2.Http2ServerResponse,
	) => void;
}

interface AdminListener {
	/** Stops listening, gives answers under way a moment, then cuts what is left. */
	close(): Promise<void>;
}

/** Asks for a certificate and takes whoever has none, too: there are probes, and tokens. `Access` judges. */
function secureServer(
	credentials: Credentials,
	onSocket: (socket: TLSSocket) => void,
): { readonly server: Server; abandon(): void } {
	const server = createServer(
		{
			...credentials.material.own,
			...strict,
			ALPNProtocols: ["h2", "http/1.1"],
			requestCert: true,
			rejectUnauthorized: false,
			handshakeTimeout: sniffTimeoutMs,
		},
		onSocket,
	);
	const { abandon } = trackHandshakes(server);
	const forget = credentials.onChange(({ own }) =>
		server.setSecureContext({ ...own, ...strict }),
	);
	server.once("close", forget);
	return { server, abandon };
}

const connectionsMax = 256;
const sniffTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const idleSessionMs = 60_000;
const farewellMs = 200;

// An HTTP/2 client with prior knowledge begins with "PRI * HTTP/2.0"; no HTTP/1.1 method begins so.
const http2Preface = "PRI";

function sniff(
	socket: Socket,
	servers: { first: http.Server; second: http2.Http2Server },
): void {
	let head = Buffer.alloc(0);
	const timer = setTimeout(() => socket.destroy(), sniffTimeoutMs);
	socket.once("close", () => clearTimeout(timer));
	const onReadable = () => {
		const chunk = socket.read() as Buffer | null;
		if (chunk === null) return;
		head = Buffer.concat([head, chunk]);
		const text = head.toString("latin1", 0, http2Preface.length);
		if (text.length < http2Preface.length && http2Preface.startsWith(text))
			return;
		clearTimeout(timer);
		socket.off("readable", onReadable);
		socket.unshift(head);
		const server = text === http2Preface ? servers.second : servers.first;
		server.emit("connection", socket);
	};
	socket.on("readable", onReadable);
}

/**
 * After a broken frame Node says good-bye and waits, and no longer sees the other side go: such connections would pile
 * up until there is no room for a probe.
 */
function endWhenIdle(session: ServerHttp2Session, limitMs: number): void {
	let calls = 0;
	session.on("stream", (stream) => {
		calls += 1;
		stream.once("close", () => {
			calls -= 1;
		});
	});
	// A call that watches may be silent for long.
	session.setTimeout(limitMs, () => {
		if (calls === 0) session.close();
	});
}

function endSoon(socket: Socket): void {
	socket.end();
	setTimeout(() => socket.destroy(), farewellMs).unref();
}
