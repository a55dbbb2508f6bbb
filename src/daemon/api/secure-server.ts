import type { ServerOptions } from "node:http";
import { createServer, type Server } from "node:https";
import type { Credentials } from "../tls/credentials.js";
import { trackHandshakes } from "../tls/handshakes.js";

/** So long a handshake may take. */
const handshakeTimeoutMs = 10_000;

/** An HTTP server that shows the node's certificate, and asks applications for theirs where that is wished. */
export function secureServer(
	credentials: Credentials,
	settings: ServerOptions,
): { readonly server: Server; abandon(): void } {
	const isAsked = credentials.files.client.clientCertificates === "required";
	const server = createServer({
		...settings,
		...credentials.material.client,
		handshakeTimeout: handshakeTimeoutMs,
		requestCert: isAsked,
		rejectUnauthorized: isAsked,
	});
	const { abandon } = trackHandshakes(server);
	const forget = credentials.onChange(({ client }) =>
		server.setSecureContext(client),
	);
	server.once("close", forget);
	return { server, abandon };
}
