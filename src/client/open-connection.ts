import type { Connection, ConnectionHandlers } from "./connection.js";
import { type Door, doorOf } from "./door.js";
import type { Endpoint } from "./endpoints.js";
import {
	type OpenedStream,
	openStream,
	UnsupportedEndpointError,
} from "./open-stream.js";
import { PlainConnection } from "./plain-connection.js";
import type { PlainEndpoints } from "./plain-endpoints.js";
import { StreamConnection } from "./stream-connection.js";

export interface Opened {
	/** The client address of the leader, as the node knows it: host:port; null when it does not say. */
	readonly leader: string | null;
	begin(handlers: ConnectionHandlers): Connection;
	/** Instead of `begin`. */
	discard(): void;
}

interface OpenOptions {
	readonly connectTimeoutMs: number;
	readonly plain: PlainEndpoints;
}

const maxWhoamiBytes = 64 * 1024;

/**
 * Opens a stream; where something in between lets none pass, plain requests. Rejects with UnsupportedEndpointError
 * when nothing there is raftd, or with what went wrong on the network.
 */
export async function openConnection(
	endpoint: Endpoint,
	options: OpenOptions,
): Promise<Opened> {
	const { plain, connectTimeoutMs } = options;
	if (plain.leftMs(endpoint, performance.now()) > 0)
		return openPlain(endpoint, options);
	let refusal: UnsupportedEndpointError;
	try {
		return streamOf(await openStream(endpoint, connectTimeoutMs));
	} catch (error) {
		if (!(error instanceof UnsupportedEndpointError)) throw error;
		refusal = error;
	}
	const door = await doorOf(endpoint);
	const asked = { endpoint, door, timeoutMs: connectTimeoutMs };
	const leader = await leaderBehind(asked, refusal);
	plain.add(endpoint, refusal.message, performance.now());
	return plainOf({ endpoint, door }, options, leader);
}

async function openPlain(
	endpoint: Endpoint,
	options: OpenOptions,
): Promise<Opened> {
	const refusal = new UnsupportedEndpointError(
		`${endpoint.address} does not answer like raftd`,
	);
	const door = await doorOf(endpoint);
	const asked = { endpoint, door, timeoutMs: options.connectTimeoutMs };
	const leader = await leaderBehind(asked, refusal);
	return plainOf({ endpoint, door }, options, leader);
}

function streamOf(opened: OpenedStream): Opened {
	return {
		leader: opened.leader,
		begin: (handlers) => new StreamConnection(opened, handlers),
		discard: () => opened.socket.destroy(),
	};
}

interface Way {
	readonly endpoint: Endpoint;
	readonly door: Door;
}

function plainOf(
	way: Way,
	{ connectTimeoutMs, plain }: OpenOptions,
	leader: string | null,
): Opened {
	return {
		leader,
		begin: (handlers) => {
			const useForMs = plain.leftMs(way.endpoint, performance.now());
			const options = { connectTimeoutMs, useForMs, door: way.door };
			return new PlainConnection(way.endpoint, options, handlers);
		},
		discard() {},
	};
}

/**
 * Asks by a plain request who answers there. A command must go only where a node was seen: anything else would
 * swallow it, or do what it likes with it. Rejects with `refusal` when it is none.
 */
function leaderBehind(
	{ endpoint, door, timeoutMs }: Way & { readonly timeoutMs: number },
	refusal: UnsupportedEndpointError,
): Promise<string | null> {
	const { host, port, address } = endpoint;
	return new Promise((resolve, reject) => {
		const outgoing = door.request({
			...door.settings(),
			...{ host, port, path: "/v1/whoami", agent: false },
		});
		const timer = setTimeout(
			() =>
				outgoing.destroy(
					new Error(`${address} did not answer within ${timeoutMs} ms`),
				),
			timeoutMs,
		);
		outgoing.once("close", () => clearTimeout(timer));
		outgoing.once("error", reject);
		outgoing.once("response", (response) => {
			const chunks: Buffer[] = [];
			let bytes = 0;
			response.on("data", (chunk: Buffer) => {
				bytes += chunk.length;
				if (bytes <= maxWhoamiBytes) chunks.push(chunk);
				else outgoing.destroy(refusal);
			});
			response.once("error", reject);
			response.once("end", () => {
				const { statusCode = 0, headers } = response;
				if (statusCode === 429 || statusCode >= 500)
					reject(new Error(`${address} answers ${statusCode}`));
				else if (statusCode !== 200 || headers["raftd-node"] === undefined)
					reject(refusal);
				else resolve(leaderIn(Buffer.concat(chunks)));
			});
		});
		outgoing.end();
	});
}

function leaderIn(body: Buffer): string | null {
	try {
		const { leaderClient } = JSON.parse(body.toString());
		return typeof leaderClient === "string" ? leaderClient : null;
	} catch {
		return null;
	}
}
