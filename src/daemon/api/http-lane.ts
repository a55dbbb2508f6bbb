import type { Socket } from "node:net";
import type { ApiContext } from "./context.js";
import { failureOfError } from "./failures.js";
import { nodeHeader, rawAnswer, wholeAnswer } from "./http-answers.js";
import type { HttpConnection } from "./http-connection.js";
import { type HttpOutcome, runCommand, runQuery } from "./http-requests.js";
import { type PlainRequest, PlainRequestReader } from "./plain-request.js";

interface HttpLaneOptions {
	readonly socket: Socket;
	readonly connection: HttpConnection;
	readonly context: ApiContext;
	/** Node's server goes on with the socket, from the byte at which it stands. */
	handOver(): void;
	/** A mistake of ours. */
	onError(error: unknown): void;
}

const noHeaders = {};
const lastHeaders = { Connection: "close" };

/**
 * Commands and queries over plain keep-alive connections, past Node's HTTP server: its request, its response and their
 * streams cost five times what the command does. One request at a time, each whole in what one read brought. With the
 * first that is anything else the socket goes to Node's server, for good, and nobody sees the difference.
 */
export class HttpLane {
	readonly #options: HttpLaneOptions;
	readonly #reader = new PlainRequestReader();
	/** Arrived while a request was under way; never more than what was read before the socket paused. */
	#waiting: Buffer[] = [];
	#busy = false;
	readonly #keepAlive: Readonly<Record<string, string>>;

	constructor(options: HttpLaneOptions) {
		this.#options = options;
		const { keepAliveTimeoutMs } = options.context.limits;
		this.#keepAlive = {
			Connection: "keep-alive",
			"Keep-Alive": `timeout=${Math.floor(keepAliveTimeoutMs / 1000)}`,
		};
		const { socket, connection } = options;
		connection.isServed = false;
		socket.on("data", this.#onData);
		socket.on("end", this.#onEnd);
		socket.on("error", this.#onError);
	}

	readonly #onData = (chunk: Buffer): void => {
		if (this.#busy) {
			this.#waiting.push(chunk);
			this.#options.socket.pause();
			return;
		}
		const request = this.#reader.read(chunk);
		const { maxBodyBytes } = this.#options.context.limits;
		if (request === null || request.body.length > maxBodyBytes) {
			this.#waiting.push(chunk);
			this.#leave();
		} else this.#serve(request);
	};

	/** As Node's server has it: a client that has ended waits for no answer. */
	readonly #onEnd = (): void => {
		this.#options.socket.end();
	};

	readonly #onError = (): void => {
		this.#options.socket.destroy();
	};

	#serve(request: PlainRequest): void {
		const { connection, onError } = this.#options;
		this.#busy = true;
		connection.begun();
		this.#run(request).then((outcome) => this.#answer(outcome), onError);
	}

	async #run(request: PlainRequest): Promise<HttpOutcome> {
		const { connection, context, socket } = this.#options;
		const { method, path, options, body } = request;
		const call = {
			options: new URLSearchParams(options),
			headers: noHeaders,
			client: connection.client,
			unsentBytes: () => socket.writableLength,
			// The next request is read when this one is answered: nothing piles up.
			keep() {},
		};
		try {
			return path === "/v1/command"
				? await runCommand(context, { ...call, body })
				: await runQuery(context, {
						...call,
						body: method === "GET" ? null : body,
					});
		} catch (error) {
			return { failure: failureOfError(error) };
		}
	}

	#answer(outcome: HttpOutcome): void {
		const { connection, context, socket } = this.#options;
		this.#busy = false;
		connection.answered();
		if (!socket.writable) return;
		const isLast = context.closing() || connection.ending;
		const answer = wholeAnswer(outcome);
		socket.write(
			rawAnswer({
				...answer,
				headers: {
					[nodeHeader]: context.nodeId,
					...answer.headers,
					Date: dateNow(),
					...(isLast ? lastHeaders : this.#keepAlive),
				},
			}),
		);
		if (isLast) socket.end();
		else if (this.#waiting.length > 0) this.#leave();
	}

	#leave(): void {
		const { socket, connection, handOver } = this.#options;
		socket.off("data", this.#onData);
		socket.off("end", this.#onEnd);
		socket.off("error", this.#onError);
		for (const chunk of this.#waiting.reverse()) socket.unshift(chunk);
		this.#waiting = [];
		connection.isServed = true;
		handOver();
		socket.resume();
	}
}

let date = "";
let dateOfSecond = 0;

function dateNow(): string {
	const second = Math.floor(Date.now() / 1000);
	if (second !== dateOfSecond) {
		dateOfSecond = second;
		date = new Date(second * 1000).toUTCString();
	}
	return date;
}
