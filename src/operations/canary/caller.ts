import type { Agent, ClientRequest } from "node:http";
import { type ClientTlsSource, type Door, doorOf } from "../../client/door.js";
import { reasonOf } from "../../errors.js";
import type { HttpRequest } from "./requests.js";

/** A client with one long-lived connection, as applications have them: one request at a time, each sent once. */
export interface Caller {
	/** The answer of any status. Throws when none came: no connection, a broken one, or none within the time. */
	call(wish: HttpRequest, options: CallLimits): Promise<HttpAnswer>;
	/** Connections that it has opened; each one after the first is a move. */
	readonly connections: number;
	close(): void;
}

export interface CallLimits {
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
}

export interface HttpAnswer {
	readonly status: number;
	readonly body: string;
}

/** Opens a client of these addresses, host:port: the balancer's, or those of the nodes. */
export type OpenCaller = (addresses: readonly string[]) => Caller;

/** An answer beyond this is no answer to a canary. */
const maxAnswerBytes = 1_048_576;

/** Over HTTP in plain text. */
export const openHttpCaller: OpenCaller = httpCallers(undefined);

/**
 * Over HTTP, and TLS where `tls` is given. Of several addresses one is used until it cannot be connected to, breaks, or says that the connection is to
 * be closed; then the next. Only an address that took no connection is left for another within one request: nothing was
 * sent to it. What was sent is never sent again (P58).
 */
export function httpCallers(tls: ClientTlsSource | undefined): OpenCaller {
	return (addresses) => new HttpCaller(addresses, tls);
}

class HttpCaller implements Caller {
	connections = 0;
	readonly #addresses: readonly string[];
	readonly #tls: ClientTlsSource | undefined;
	#opened: Promise<{ readonly door: Door; readonly agent: Agent }> | null =
		null;
	#turn = 0;

	constructor(addresses: readonly string[], tls: ClientTlsSource | undefined) {
		this.#addresses = addresses;
		this.#tls = tls;
	}

	async call(wish: HttpRequest, limits: CallLimits): Promise<HttpAnswer> {
		for (let left = this.#addresses.length - 1; ; left--) {
			try {
				return await this.#send(wish, limits);
			} catch (error) {
				this.#turn++;
				if (left > 0 && isConnectFault(error)) continue;
				throw error;
			}
		}
	}

	close(): void {
		void this.#opened?.then(({ agent }) => agent.destroy());
	}

	#open(): Promise<{ readonly door: Door; readonly agent: Agent }> {
		const tls = this.#tls;
		this.#opened ??= doorOf(tls === undefined ? {} : { tls }).then((door) => ({
			...{ door, agent: door.agent({ keepAlive: true, maxSockets: 1 }) },
		}));
		return this.#opened;
	}

	async #send(wish: HttpRequest, limits: CallLimits): Promise<HttpAnswer> {
		const { door, agent } = await this.#open();
		const { method, path, body } = wish;
		const address = this.#addresses[this.#turn % this.#addresses.length] ?? "";
		const [host, port] = address.split(/:(?=\d+$)/);
		return await new Promise((resolve, reject) => {
			const call = door.request({
				...door.settings(),
				...{ agent, host, port, method, path },
				signal: limits.signal,
				headers: body === null ? {} : headersOf(body),
			});
			const timer = setTimeout(
				() =>
					call.destroy(new Error(`no answer within ${limits.timeoutMs} ms`)),
				limits.timeoutMs,
			);
			call.once("close", () => clearTimeout(timer));
			call.once("socket", (socket) => {
				if (socket.connecting) socket.once("connect", () => this.connections++);
			});
			call.once("error", (error) => reject(explained(error, call)));
			call.once("response", (response) => {
				if (response.headers.connection === "close") this.#turn++;
				const chunks: Buffer[] = [];
				let bytes = 0;
				response.on("data", (chunk: Buffer) => {
					chunks.push(chunk);
					bytes += chunk.length;
					if (bytes > maxAnswerBytes)
						call.destroy(new Error(`an answer over ${maxAnswerBytes} bytes`));
				});
				response.once("error", reject);
				response.once("end", () =>
					resolve({
						status: response.statusCode ?? 0,
						body: Buffer.concat(chunks).toString(),
					}),
				);
			});
			call.end(body ?? undefined);
		});
	}
}

function headersOf(body: string): Record<string, string | number> {
	return {
		"content-type": "application/json",
		"content-length": Buffer.byteLength(body),
	};
}

function isConnectFault(error: unknown): boolean {
	return (
		error instanceof Error && "syscall" in error && error.syscall === "connect"
	);
}

/**
 * Who said "Connection: close" before is not called again over that connection. A reset of one that was in use before is
 * thus nobody's good right: a client that does not try again has a failed request.
 */
function explained(error: Error, call: ClientRequest): Error {
	if (!call.reusedSocket || !isReset(error)) return error;
	return new Error(
		`the connection, in use before and not announced to be closed, was cut before any byte of an answer (${reasonOf(error)})`,
		{ cause: error },
	);
}

function isReset(error: Error): boolean {
	const { code } = error as NodeJS.ErrnoException;
	return code === "ECONNRESET" || code === "EPIPE";
}
