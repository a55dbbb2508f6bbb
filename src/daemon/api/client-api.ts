import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Server as TlsServer } from "node:tls";
import type { Machine } from "../../machines/machine.js";
import { writtenLevelOf } from "../engine/state/levels.js";
import { listen } from "../listen.js";
import type { Replica } from "../replica.js";
import type { Credentials } from "../tls/credentials.js";
import { type ConnectionCounts, Connections } from "./connections.js";
import {
	type ApiContext,
	ApiCounters,
	type ApiLimits,
	defaultLimits,
} from "./context.js";
import { EventFrames } from "./event-frames.js";
import { answersOf, failureAnswer, send } from "./http-answers.js";
import { HttpConnection } from "./http-connection.js";
import { HttpLane } from "./http-lane.js";
import { refuseAnnouncedBody, serve } from "./routes.js";
import { secureServer } from "./secure-server.js";
import { TurnEnd } from "./turn-end.js";
import { endBrokenSocket, Upgrades } from "./upgrades.js";
import { Words } from "./words.js";

/** The port for applications: HTTP with JSON, WebSockets and streams (docs/client-api.md). */
export interface ClientApi {
	/** Where it listens; tells the port when 0 was asked for. */
	readonly port: number;
	connections(): ConnectionCounts;
	/** Requests that were accepted and are not answered. */
	inflight(): number;
	/** Since the start; `inflight` aside, these only rise. */
	counters(): Readonly<ApiCounters>;
	/**
	 * Moves connections away, evenly over this time: WebSockets are closed with 1012, streams are told to go, HTTP
	 * connections end with their next answer or once idle. Requests are still served; new upgrades are refused.
	 */
	beginClosing(overMs: number): void;
	/** Ends a drain. Who was asked to leave already, still leaves. */
	stopClosing(): void;
	/** Takes no new connection, answers what was accepted, and ends all within a limit. */
	close(): Promise<void>;
}

interface ClientApiOptions {
	readonly replica: Replica;
	readonly machine: Machine;
	/** host:port */
	readonly listen: string;
	readonly nodeId: string;
	readonly limits?: Partial<ApiLimits>;
	/** Null, the default: plain text. */
	readonly credentials?: Credentials | null;
}

/** Opens the client port. Throws OperatorError when it cannot listen there. */
export async function startClientApi(
	options: ClientApiOptions,
): Promise<ClientApi> {
	const limits = { ...defaultLimits, ...options.limits };
	const connections = new Connections();
	const words = new Words(options.machine);
	const counters = new ApiCounters();
	const { server, abandon } = openServer(options, limits);
	serveApi(
		server,
		{
			nodeId: options.nodeId,
			replica: options.replica,
			words,
			limits,
			counters,
			turnEnd: new TurnEnd(),
			eventFrames: new EventFrames(words),
			writeLevel: () =>
				writtenLevelOf({
					machine: options.machine,
					agreed: options.replica.controlState().writeLevel,
				}),
			closing: () => connections.closing,
		},
		connections,
	);
	try {
		await listen(server, options.listen, "listen.client");
	} catch (error) {
		await connections.close(0);
		throw error;
	}
	return {
		port: (server.address() as AddressInfo).port,
		connections: () => connections.counts(),
		inflight: () => counters.inflight,
		counters: () => counters,
		beginClosing: (overMs) => connections.beginClosing(overMs),
		stopClosing: () => connections.stopClosing(),
		async close() {
			const closed = new Promise((resolve) => server.close(resolve));
			abandon();
			await connections.close(limits.closeTimeoutMs);
			await closed;
		},
	};
}

/** An HTTP server over TLS says "secureConnection" when one over TCP says "connection". */
function openServer(
	{ nodeId, credentials = null }: ClientApiOptions,
	limits: ApiLimits,
): { readonly server: Server; abandon(): void } {
	const settings = {
		ServerResponse: answersOf(nodeId),
		requestTimeout: limits.requestTimeoutMs,
		headersTimeout: limits.requestTimeoutMs,
		keepAliveTimeout: limits.keepAliveTimeoutMs,
		connectionsCheckingInterval: Math.min(1000, limits.requestTimeoutMs),
	};
	if (credentials === null)
		return { server: createServer(settings), abandon() {} };
	return secureServer(credentials, settings);
}

function serveApi(
	server: Server,
	context: ApiContext,
	connections: Connections,
): void {
	const { limits } = context;
	server.maxConnections = limits.maxConnections;
	let accepted = 0;
	const { opened, serveSocket } = withoutSockets(server);
	server.on(opened, (socket: Socket) => {
		accepted += 1;
		const client = `c${accepted}`;
		const connection = new HttpConnection({ socket, client, context });
		connections.add(socket, connection);
		new HttpLane({
			...{ socket, connection, context },
			handOver: () => serveSocket(socket),
		});
	});
	server.on("request", (request, response) => {
		const http = connections.of(request.socket);
		if (!(http instanceof HttpConnection)) return;
		serve(context, http, { request, response }).catch((error) =>
			crash(response, error),
		);
	});
	server.on("checkContinue", (request, response) => {
		const failure = refuseAnnouncedBody(context, request);
		if (failure !== null) {
			send(response, failureAnswer(failure), { last: true });
			return;
		}
		response.writeContinue();
		server.emit("request", request, response);
	});
	const upgrades = new Upgrades(context, connections);
	server.on("upgrade", (request, socket, head) =>
		upgrades.accept(request, socket, head),
	);
	server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
		const http = connections.of(socket);
		const pending = http instanceof HttpConnection ? http.pending : 0;
		endBrokenSocket(context, { socket, code: error.code ?? "", pending });
	});
}

/**
 * Takes the sockets from Node's server, which reads each from the moment it is open, and returns how to give it one.
 * Its own listener is what a server that is given sockets by others calls; it is there before anybody else's.
 */
function withoutSockets(server: Server): {
	readonly opened: string;
	serveSocket(socket: Socket): void;
} {
	const opened =
		server instanceof TlsServer ? "secureConnection" : "connection";
	const [accept] = server.listeners(opened);
	if (accept === undefined)
		throw new Error(
			`invariant: an HTTP server without a listener of ${opened}`,
		);
	server.off(opened, accept as (socket: Socket) => void);
	return { opened, serveSocket: (socket) => accept.call(server, socket) };
}

/** A mistake of ours: the process's own handler decides, after this client has been told nothing false. */
function crash(response: ServerResponse, error: unknown): never {
	response.destroy();
	throw error;
}
