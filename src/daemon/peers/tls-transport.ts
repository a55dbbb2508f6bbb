import type { Socket } from "node:net";
import {
	connect,
	createServer,
	type PeerCertificate,
	type TLSSocket,
} from "node:tls";
import type { NodeId } from "../../raft/types.js";
import { certificateName } from "../../wire/certificate-names.js";
import type { Credentials } from "../tls/credentials.js";
import { handshakeFault } from "../tls/handshake-fault.js";
import { trackHandshakes } from "../tls/handshakes.js";
import { nameText } from "../tls/material.js";
import { strict } from "../tls/strict.js";
import { certified } from "../tls/verdict.js";
import { dial, type PeerTransport } from "./transport.js";

/** Both sides show a certificate of the cluster's authority; the one that is dialled must be that of the node wanted. */
export function tlsTransport(credentials: Credentials): PeerTransport {
	return {
		dial: (address, to) => dialSecurely(credentials, address, to),
		opened: "secureConnect",
		acceptor(maxConnections, { onSocket, onBroken }) {
			const server = createServer({
				...credentials.material.own,
				...strict,
				noDelay: true,
				requestCert: true,
				// Whoever is refused is told why, by a frame: `onSocket` judges, and lets nobody in before.
				rejectUnauthorized: false,
				handshakeTimeout: handshakeTimeoutMs,
			});
			server.maxConnections = maxConnections;
			const { abandon } = trackHandshakes(server);
			server.on("secureConnection", (socket) =>
				onSocket(socket, certified(socket)),
			);
			server.on("tlsClientError", (error, socket) =>
				onBroken(socket, handshakeFault(error)),
			);
			const forget = credentials.onChange(({ own }) =>
				server.setSecureContext({ ...own, ...strict }),
			);
			server.once("close", forget);
			return { server, abandon };
		},
	};
}

const handshakeTimeoutMs = 5_000;

function dialSecurely(
	{ material, self }: Credentials,
	address: string,
	to: NodeId,
): Socket {
	const socket: TLSSocket = connect({
		...material.own,
		minVersion: "TLSv1.3",
		// Made first, for its delay to be none.
		socket: dial(address),
		rejectUnauthorized: true,
		checkServerIdentity: (_host, certificate) =>
			wrongNode(certificate, self.clusterId, to),
	});
	// Before anybody else hears of it: OpenSSL's words say neither who nor what to do.
	socket.prependListener("error", (error) => {
		error.message = handshakeFault(error);
	});
	return socket;
}

function wrongNode(
	{ subjectaltname }: PeerCertificate,
	clusterId: string,
	to: NodeId,
): Error | undefined {
	const name = certificateName(subjectaltname);
	const isWanted =
		name?.kind === "node" && name.clusterId === clusterId && name.node === to;
	if (isWanted) return undefined;
	return new Error(
		`the certificate that is shown there is that of ${nameText(name)}, not that of ${to} of cluster ${clusterId}`,
	);
}
