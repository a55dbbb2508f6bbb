import type { Socket } from "node:net";
import type { Server } from "node:tls";

/**
 * Keeps the connections of a TLS server whose handshake is under way, which nobody else knows of yet: a server that closes
 * would wait for them.
 */
export function trackHandshakes(server: Server): { abandon(): void } {
	// By where it comes from: Node.js makes another socket of it, and does not say of which.
	const underWay = new Map<string, Socket>();
	server.on("connection", (socket: Socket) => {
		const origin = originOf(socket);
		underWay.set(origin, socket);
		socket.once("close", () => {
			if (underWay.get(origin) === socket) underWay.delete(origin);
		});
	});
	server.on("secureConnection", (socket) => underWay.delete(originOf(socket)));
	return {
		abandon() {
			for (const socket of underWay.values()) socket.destroy();
		},
	};
}

function originOf({ remoteAddress, remotePort }: Socket): string {
	return `${remoteAddress} ${remotePort}`;
}
