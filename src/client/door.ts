import { Agent, type AgentOptions, request } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { Endpoint } from "./endpoints.js";

/** How the client verifies what it speaks to, and what it shows. PEM texts. */
export interface ClientTls {
	/** The authorities whose certificates are accepted; by default those of Node.js. */
	readonly ca?: string;
	/** What is shown, where the cluster asks applications for a certificate; both or none. */
	readonly cert?: string;
	readonly key?: string;
	/** The name that the certificate must have, if it is another than that of the endpoint. */
	readonly servername?: string;
}

/** A function is asked for every connection: an authority may change while the application runs. */
export type ClientTlsSource = ClientTls | (() => ClientTls);

/** How one makes requests of an endpoint: HTTP over TCP, or over TLS. */
export interface Door {
	readonly request: typeof request;
	agent(options: AgentOptions): Agent;
	/** To go with every request. */
	settings(): ClientTls;
	/** Calls back once what is written reaches the other side; at once when it does already. */
	whenOpen(socket: Socket, then: () => void): void;
}

/** TLS is loaded where it is needed: a client without it starts sooner. */
export async function doorOf({ tls }: Pick<Endpoint, "tls">): Promise<Door> {
	if (tls === undefined) return plainDoor;
	const https = await import("node:https");
	return {
		request: https.request as typeof request,
		agent: (options) => new https.Agent({ ...options, maxCachedSessions: 0 }),
		settings: () => materialOf(tls),
		whenOpen(socket, then) {
			// Its type does not say that it tells.
			const { secureConnecting } = socket as { secureConnecting?: boolean };
			if (secureConnecting) (socket as TLSSocket).once("secureConnect", then);
			else then();
		},
	};
}

/** What a source gives now. */
export function materialOf(source: ClientTlsSource): ClientTls {
	return typeof source === "function" ? source() : source;
}

const plainDoor: Door = {
	request,
	agent: (options) => new Agent(options),
	settings: () => ({}),
	whenOpen(socket, then) {
		if (socket.connecting) socket.once("connect", then);
		else then();
	},
};
