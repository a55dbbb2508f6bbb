import type { Socket } from "node:net";
import { reasonOf } from "../../errors.js";
import { FrameError, FrameSplitter } from "../../wire/frame-splitter.js";
import { PeerFrameBatch } from "../../wire/peer-frame-batch.js";
import {
	decodePeerFrame,
	maxPeerFrameBytes,
	type PeerFrame,
} from "../../wire/peer-frames.js";
import {
	decodeHello,
	encodeRefused,
	encodeWelcome,
	type HelloFrame,
	maxHandshakeFrameBytes,
	newestPeerVersion,
} from "../../wire/peer-handshake.js";
import type { Certified } from "../tls/verdict.js";
import {
	type PeerRules,
	type Refusal,
	refuseCaller,
	refuseHello,
} from "./handshake.js";

/** From the accept to the hello. */
const greetingTimeoutMs = 2000;
/** A peer that asks and never reads the answers is not served for ever. */
const maxAnswerBytes = 64 * 1024;

interface IncomingLinkOptions {
	/** Tells connections apart: unique in this process. */
	readonly id: number;
	readonly rules: PeerRules;
	readonly silenceLimitMs: number;
	readonly nowMs: number;
	/** Who dialled, by its certificate; null where none is asked for. */
	readonly caller: Certified | null;
	/** Somebody was let in. */
	onOpen(link: IncomingLink, hello: HelloFrame): void;
	/** Somebody was let in for a snapshot: the socket is no longer this link's. */
	onSnapshot(socket: Socket, hello: HelloFrame): void;
	onFrame(link: IncomingLink, frame: PeerFrame): void;
	onRefused(hello: HelloFrame, refusal: Refusal): void;
	/** `bad` when the other side broke the protocol. */
	onClosed(
		link: IncomingLink,
		end: { readonly reason: string; readonly bad: boolean },
	): void;
}

/** A connection that a peer has dialled, and on which it sends. What goes back on it are greetings and pongs only. */
export class IncomingLink {
	readonly id: number;
	readonly #options: IncomingLinkOptions;
	readonly #socket: Socket;
	#splitter = new FrameSplitter({
		minFrameBytes: 1,
		maxFrameBytes: maxHandshakeFrameBytes,
	});
	#link: { readonly from: string; readonly to: string } | null = null;
	#heard = false;
	#heardMs: number;
	#closed = false;
	#readBytes = 0;

	constructor(socket: Socket, options: IncomingLinkOptions) {
		this.id = options.id;
		this.#options = options;
		this.#socket = socket;
		this.#heardMs = options.nowMs;
		socket.on("data", (chunk) => this.#read(chunk));
		socket.on("error", (error) => this.#end(reasonOf(error), false));
		socket.on("close", () => this.#end("closed by the other side", false));
	}

	/** Null until it has said who it is. */
	get from(): string | null {
		return this.#link?.from ?? null;
	}

	get remoteAddress(): string {
		return this.#socket.remoteAddress ?? "unknown";
	}

	get readBytes(): number {
		return this.#readBytes;
	}

	tick(nowMs: number): void {
		if (this.#heard) {
			this.#heard = false;
			this.#heardMs = nowMs;
		}
		const limitMs =
			this.#link === null ? greetingTimeoutMs : this.#options.silenceLimitMs;
		if (nowMs - this.#heardMs >= limitMs)
			this.#end(`silent for ${limitMs} ms`, false);
	}

	destroy(): void {
		this.#closed = true;
		this.#socket.destroy();
	}

	#read(chunk: Buffer): void {
		if (this.#closed) return;
		this.#readBytes += chunk.length;
		if (this.#link !== null) this.#heard = true;
		const splitter = this.#splitter;
		try {
			splitter.push(chunk, (frame) => this.#receive(frame, splitter));
			if (splitter !== this.#splitter && splitter.partial) throw tooEarly();
		} catch (error) {
			this.#end(reasonOf(error), error instanceof FrameError);
		}
	}

	#receive(frame: Buffer, splitter: FrameSplitter): void {
		if (this.#closed) return;
		if (splitter !== this.#splitter) throw tooEarly();
		if (this.#link === null) {
			this.#greet(decodeHello(frame));
			return;
		}
		const decoded = decodePeerFrame(frame, this.#link);
		if (decoded.type === "ping") this.#pong();
		else this.#options.onFrame(this, decoded);
	}

	#greet(hello: HelloFrame): void {
		const { rules, onOpen, onRefused } = this.#options;
		const { self } = rules;
		const { caller } = this.#options;
		const refusal =
			(caller === null ? null : refuseCaller(hello, caller, self)) ??
			refuseHello(hello, rules);
		if (refusal !== null) {
			this.#closed = true;
			this.#socket.end(encodeRefused(refusal));
			this.#socket.destroySoon();
			onRefused(hello, refusal);
			this.#options.onClosed(this, { reason: refusal.sentence, bad: false });
			return;
		}
		this.#link = { from: hello.from, to: self.nodeId };
		this.#heard = true;
		this.#socket.write(
			encodeWelcome({
				version: Math.min(hello.newestVersion, newestPeerVersion),
				nodeId: self.nodeId,
				incarnation: self.incarnation,
			}),
		);
		if (hello.purpose === "snapshot") {
			this.#handOver(hello);
			return;
		}
		onOpen(this, hello);
		this.#splitter = new FrameSplitter({
			minFrameBytes: 1,
			maxFrameBytes: maxPeerFrameBytes,
		});
	}

	#handOver(hello: HelloFrame): void {
		this.#closed = true;
		this.#socket.removeAllListeners("data");
		this.#socket.removeAllListeners("error");
		this.#socket.removeAllListeners("close");
		this.#options.onSnapshot(this.#socket, hello);
		this.#options.onClosed(this, { reason: "handed over", bad: false });
	}

	#pong(): void {
		if (this.#socket.writableLength > maxAnswerBytes) {
			this.#end("asks for answers and does not read them", true);
			return;
		}
		const batch = new PeerFrameBatch();
		batch.pong();
		for (const { bytes } of batch.take()) this.#socket.write(bytes);
	}

	#end(reason: string, bad: boolean): void {
		if (this.#closed) return;
		this.destroy();
		this.#options.onClosed(this, { reason, bad });
	}
}

function tooEarly(): FrameError {
	return new FrameError("spoke on before it was welcomed");
}
