import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import {
	featuresHeader,
	streamFeatures,
	streamProtocol,
} from "../../wire/client-frames.js";
import type { Connections } from "./connections.js";
import type { ApiContext } from "./context.js";
import { failureOfError, RequestError, rejected } from "./failures.js";
import { leaderHeader, nodeHeader, rawFailure } from "./http-answers.js";
import { HttpConnection } from "./http-connection.js";
import { knownOnly } from "./http-requests.js";
import { fromOf } from "./request-options.js";
import { StreamConnection } from "./stream-connection.js";
import { WebSocketConnection } from "./websocket-connection.js";

interface Upgrade {
	readonly request: IncomingMessage;
	readonly socket: Duplex;
	readonly head: Buffer;
	readonly client: string;
}

/** What a client whose handshake is refused may try instead (RFC 6455, 4.4). */
const webSocketVersion = { "Sec-WebSocket-Version": "13" };

/** Turns HTTP connections into WebSockets and streams; refuses what it does not know with an HTTP answer. */
export class Upgrades {
	readonly #context: ApiContext;
	readonly #connections: Connections;
	readonly #webSockets: WebSocketServer;

	constructor(context: ApiContext, connections: Connections) {
		this.#context = context;
		this.#connections = connections;
		this.#webSockets = new WebSocketServer({
			noServer: true,
			clientTracking: false,
			// Compression would frame each event anew for each subscriber, and cost 64 KiB or more for each.
			perMessageDeflate: false,
			maxPayload: context.limits.maxBodyBytes,
		});
		this.#webSockets.on("headers", (headers) => {
			headers.push(`${nodeHeader}: ${context.nodeId}`);
		});
		this.#webSockets.on("wsClientError", ({ message }, socket) =>
			this.#endRefused(
				socket,
				rawFailure(context.nodeId, rejected("invalid", message), {
					headers: webSocketVersion,
				}),
			),
		);
	}

	accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		socket.on("error", () => socket.destroy());
		const http = this.#connections.of(socket);
		// A request that is still being answered would write into what follows.
		if (!(http instanceof HttpConnection) || http.pending > 0) {
			socket.destroy();
			return;
		}
		const url = new URLSearchParams((request.url ?? "").split("?")[1] ?? "");
		const upgrade = { request, socket, head, client: http.client };
		try {
			this.#refuseWhileClosing();
			switch (`${pathOf(request)} ${protocolOf(request)}`) {
				case "/v1/events websocket":
					knownOnly(url, ["from"]);
					this.#openWebSocket(upgrade, fromOf(url.get("from") ?? undefined));
					return;
				case `/v1/stream ${streamProtocol}`:
					knownOnly(url, []);
					this.#openStream(upgrade);
					return;
			}
			throw new RequestError(
				"invalid",
				`there is no upgrade of ${pathOf(request)} to ${protocolOf(request)}`,
			);
		} catch (error) {
			this.#endRefused(
				socket,
				rawFailure(this.#context.nodeId, failureOfError(error)),
			);
		}
	}

	/**
	 * Nobody else reads from it any more: what the client says yet is dropped, so that its end is seen. Destroyed at once,
	 * the refusal might not reach it.
	 */
	#endRefused(socket: Duplex, answer: string | Buffer): void {
		socket.end(answer);
		socket.resume();
		const { closeTimeoutMs } = this.#context.limits;
		const timer = setTimeout(() => socket.destroy(), closeTimeoutMs);
		socket.once("close", () => clearTimeout(timer));
	}

	/** It would only be asked to leave again: better that it finds another node now. */
	#refuseWhileClosing(): void {
		if (this.#context.closing())
			throw new RequestError("stopping", "this node is draining; try another");
	}

	#openWebSocket(upgrade: Upgrade, from: number): void {
		const { request, socket, head, client } = upgrade;
		const context = this.#context;
		this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
			const options = { ws, socket, client, from, context };
			this.#connections.replace(socket, new WebSocketConnection(options));
		});
	}

	#openStream({ socket, head, client }: Upgrade): void {
		const context = this.#context;
		const leader = leaderAddress(context);
		const headers = [
			"Connection: Upgrade",
			`Upgrade: ${streamProtocol}`,
			`${nodeHeader}: ${context.nodeId}`,
			`${featuresHeader}: ${streamFeatures.join(", ")}`,
			...(leader === null ? [] : [`${leaderHeader}: ${leader}`]),
		];
		socket.write(
			`HTTP/1.1 101 Switching Protocols\r\n${headers.join("\r\n")}\r\n\r\n`,
		);
		this.#connections.replace(
			socket,
			new StreamConnection({ socket, head, client, context }),
		);
	}
}

/** Where the leader's client port is, as far as this node knows; a client that can reach it saves a hop. */
function leaderAddress({ replica }: ApiContext): string | null {
	const { leader, configuration } = replica.status().raft;
	if (leader === null) return null;
	return configuration.addresses[leader]?.client ?? null;
}

/** Ends a socket whose bytes Node could not take for a request; `code` is its error's. */
export function endBrokenSocket(
	context: ApiContext,
	{ socket, code, pending }: { socket: Duplex; code: string; pending: number },
): void {
	// A handshake that failed leaves nothing to answer on.
	const isHandshake = isHandshakeCode(code);
	if (isHandshake) context.counters.protocolErrors += 1;
	if (isHandshake || code === "ECONNRESET" || !socket.writable) {
		socket.destroy();
		return;
	}
	context.counters.protocolErrors += 1;
	// Between the answers of earlier requests this one would pass for theirs.
	if (pending > 1) socket.destroy();
	else socket.end(brokenAnswer(context, code));
}

function isHandshakeCode(code: string): boolean {
	return code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_");
}

function brokenAnswer({ nodeId }: ApiContext, code: string): string | Buffer {
	switch (code) {
		case "ERR_HTTP_REQUEST_TIMEOUT": {
			const failure = rejected("timeout", "the request took too long");
			return rawFailure(nodeId, failure, { status: 408 });
		}
		case "HPE_HEADER_OVERFLOW": {
			const failure = rejected("too-large", "the header is too long");
			return rawFailure(nodeId, failure, { status: 431 });
		}
		default:
			return rawFailure(nodeId, rejected("invalid", "this is no HTTP request"));
	}
}

function pathOf(request: IncomingMessage): string {
	return (request.url ?? "").split("?")[0] ?? "";
}

function protocolOf(request: IncomingMessage): string {
	return `${request.headers.upgrade}`.toLowerCase();
}
