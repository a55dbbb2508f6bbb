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
}

const noHeaders = {};
const noOptions = new URLSearchParams();

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
	/** Of the request under way, or of the last one. */
	#number = 0;
	/** Headers of every answer, and of the last one. */
	readonly #lines: string;
	readonly #lastLines: string;

	constructor(options: HttpLaneOptions) {
		this.#options = options;
		const { nodeId, limits } = options.context;
		const keepAliveSeconds = Math.floor(limits.keepAliveTimeoutMs / 1000);
		const node = `${nodeHeader}: ${nodeId}\r\n`;
		this.#lines = `${node}Connection: keep-alive\r\nKeep-Alive: timeout=${keepAliveSeconds}\r\n`;
		this.#lastLines = `${node}Connection: close\r\n`;
		const { socket } = options;
		socket.on("data", this.#onData);
		socket.on("end", this.#onEnd);
		socket.on("error", this.#onError);
	}

	readonly #onData = (chunk: Buffer): void => {
		const { socket, connection } = this.#options;
		if (connection.isOver) return;
		if (this.#busy) {
			this.#waiting.push(chunk);
			socket.pause();
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
		this.#busy = true;
		this.#number = this.#options.connection.begun();
		try {
			this.#run(request);
		} catch (error) {
			this.#answer({ failure: failureOfError(error) });
		}
	}

	#run({ method, path, options, body }: PlainRequest): void {
		const { connection, context, socket } = this.#options;
		const call = {
			body,
			options: options === "" ? noOptions : new URLSearchParams(options),
			headers: noHeaders,
			client: connection.client,
			unsentBytes: () => socket.writableLength,
			// The next request is read when this one is answered: nothing piles up.
			keep() {},
		};
		const done = (outcome: HttpOutcome) => this.#answer(outcome);
		if (path === "/v1/command") runCommand(context, call, done);
		else if (method === "POST") runQuery(context, call, done);
		else runQuery(context, { ...call, body: null }, done);
	}

	#answer(outcome: HttpOutcome): void {
		const { connection, socket } = this.#options;
		this.#busy = false;
		connection.answered();
		if (!socket.writable) return;
		const isLast = connection.endsWith(this.#number);
		const always = isLast ? this.#lastLines : this.#lines;
		const lines = `${always}${dateLine()}`;
		const isTaken = socket.write(rawAnswer(wholeAnswer(outcome), lines));
		// As Node's server does it: closed once the answer has left, whether the client ends or not.
		if (isLast) socket.destroySoon();
		else if (this.#waiting.length > 0) this.#leave();
		else if (!isTaken) this.#awaitDrain();
	}

	/** Of who does not take the answers, no more is read: they would pile up (limits.stallTimeoutMs ends it). */
	#awaitDrain(): void {
		const { socket } = this.#options;
		socket.pause();
		socket.once("drain", () => socket.resume());
	}

	#leave(): void {
		const { socket, connection, handOver } = this.#options;
		socket.off("data", this.#onData);
		socket.off("end", this.#onEnd);
		socket.off("error", this.#onError);
		for (const chunk of this.#waiting.reverse()) socket.unshift(chunk);
		this.#waiting = [];
		connection.leaveToServer();
		handOver();
		socket.resume();
	}
}

let date = "";
let dateOfSecond = 0;

/** Made once a second. */
function dateLine(): string {
	const second = Math.floor(Date.now() / 1000);
	if (second !== dateOfSecond) {
		dateOfSecond = second;
		date = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
	}
	return date;
}
