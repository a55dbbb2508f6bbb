import { createServer, type Server, Socket } from "node:net";
import { splitAddress } from "../listen.js";

/**
 * How bytes get from node to node. The only place that knows it is plain TCP: TLS with client certificates belongs
 * here, and changes nothing above.
 */
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

/** Not listening yet. Beyond `maxConnections` the kernel's connection is closed at once. */
export function acceptor(
	maxConnections: number,
	onSocket: (socket: Socket) => void,
): Server {
	const server = createServer({ noDelay: true }, onSocket);
	server.maxConnections = maxConnections;
	return server;
}
