import { createServer, type Server, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { NodeId } from "../../raft/types.js";
import { splitAddress } from "../listen.js";
import type { Certified } from "../tls/verdict.js";

/** How bytes get from node to node: plain TCP, or TLS with certificates on both sides (tls-transport.ts). */
export interface PeerTransport {
	/** Nothing reaches whoever is not `to`, where that can be known. */
	dial(address: string, to: NodeId): Socket;
	/** The event of a dialled socket after which it can be written to. */
	readonly opened: "connect" | "secureConnect";
	/** Not listening yet. Beyond `maxConnections` the kernel's connection is closed at once. */
	acceptor(maxConnections: number, handlers: AcceptorHandlers): Acceptor;
}

export interface AcceptorHandlers {
	/** `caller` is null where nobody is asked for a certificate. */
	onSocket(socket: Socket, caller: Certified | null): void;
	/** A connection that did not get as far as that. */
	onBroken(socket: TLSSocket, reason: string): void;
}

export interface Acceptor {
	readonly server: Server;
	/** Ends what is being accepted; what was handed over is left alone. */
	abandon(): void;
}

export const plainTransport: PeerTransport = {
	dial,
	opened: "connect",
	acceptor(maxConnections, { onSocket }) {
		const server = createServer({ noDelay: true }, (socket) =>
			onSocket(socket, null),
		);
		server.maxConnections = maxConnections;
		return { server, abandon() {} };
	},
};

export function dial(address: string): Socket {
	const { host, port } = splitAddress(address);
	const socket = new Socket();
	// `connect` would take the option and do nothing with it: only what makes the socket does. Without it each round of
	// a write waits for the other side's delayed acknowledgement, 40 ms.
	socket.setNoDelay(true);
	try {
		// The name is resolved anew for every connection: an address may move while the node runs.
		socket.connect({ host, port });
	} catch (error) {
		// An address that makes no sense is one that nobody listens on.
		socket.destroy(error as Error);
	}
	return socket;
}
