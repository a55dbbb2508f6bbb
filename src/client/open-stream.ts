import type { Socket } from "node:net";
import {
	featuresHeader,
	featuresOf,
	type StreamFeature,
	streamProtocol,
} from "../wire/client-frames.js";
import { doorOf } from "./door.js";
import type { Endpoint } from "./endpoints.js";

export interface OpenedStream {
	readonly socket: Socket;
	/** What came in the same packet as the answer to the upgrade. */
	readonly head: Buffer;
	/** The client address of the leader, as the node knows it: host:port; null when it does not say. */
	readonly leader: string | null;
	/** What the node takes beyond the first words of the protocol. */
	readonly features: ReadonlySet<StreamFeature>;
}

/** An idle connection to a machine that vanished is noticed. */
const keepAliveMs = 15_000;

/** The endpoint answers HTTP, but not with the stream protocol. */
export class UnsupportedEndpointError extends Error {
	override readonly name = "UnsupportedEndpointError";
}

/** Connects and upgrades. Rejects with UnsupportedEndpointError, or with what went wrong on the network. */
export async function openStream(
	endpoint: Endpoint,
	timeoutMs: number,
): Promise<OpenedStream> {
	const { host, port, address } = endpoint;
	const { request, settings } = await doorOf(endpoint);
	return await new Promise((resolve, reject) => {
		const outgoing = request({
			...settings(),
			host,
			port,
			path: "/v1/stream",
			agent: false,
			headers: { connection: "Upgrade", upgrade: streamProtocol },
		});
		const timer = setTimeout(
			() =>
				outgoing.destroy(
					new Error(`${address} did not answer within ${timeoutMs} ms`),
				),
			timeoutMs,
		);
		outgoing.once("upgrade", (response, socket, head) => {
			clearTimeout(timer);
			if (response.headers.upgrade === streamProtocol) {
				const stream = socket as Socket;
				stream.setNoDelay(true).setKeepAlive(true, keepAliveMs);
				// It may break while it waits to be used; unheard, that would end the application.
				stream.on("error", () => {});
				const leader = response.headers["raftd-leader"];
				resolve({
					socket: stream,
					head,
					leader: typeof leader === "string" ? leader : null,
					features: featuresOf(response.headers[featuresHeader]),
				});
				return;
			}
			socket.destroy();
			reject(unsupported(address, `it speaks ${response.headers.upgrade}`));
		});
		outgoing.once("response", ({ statusCode = 0 }) => {
			clearTimeout(timer);
			outgoing.destroy();
			reject(
				isTemporary(statusCode)
					? new Error(`${address} answers ${statusCode}`)
					: unsupported(address, `it answers HTTP ${statusCode}`),
			);
		});
		outgoing.once("error", (error) => {
			clearTimeout(timer);
			reject(error);
		});
		outgoing.end();
	});
}

/**
 * Too many connections, or a node that leaves: another endpoint, or another moment, is better. What is not implemented
 * (501), or not in this version of HTTP (505), will not be a moment later.
 */
function isTemporary(status: number): boolean {
	return status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

function unsupported(address: string, what: string): UnsupportedEndpointError {
	return new UnsupportedEndpointError(
		`${address} does not offer ${streamProtocol}: ${what}; is it the client port of raftd, or a balancer before it?`,
	);
}
