import type { Socket } from "node:net";
import { reasonOf } from "../../errors.js";
import { FrameSplitter } from "../../wire/frame-splitter.js";
import { PeerFrameKind } from "../../wire/peer-frames.js";
import {
	decodeGreeting,
	encodeHello,
	maxHandshakeFrameBytes,
	newestPeerVersion,
	oldestPeerVersion,
} from "../../wire/peer-handshake.js";
import type { Complaints } from "./complaints.js";
import {
	type Incarnations,
	type PeerIdentity,
	type Refusal,
	refuseWelcome,
} from "./handshake.js";
import { Outbox } from "./outbox.js";
import type { PeerTransport } from "./transport.js";

/** From the dial to the welcome. */
const greetingTimeoutMs = 2000;
const firstRetryMs = 50;
const lastRetryMs = 1000;
/** A retry comes this much earlier or later, so that nodes do not dial in step. */
const retrySpread = 0.2;

interface OutgoingLinkOptions {
	readonly peer: string;
	/** Tried in turn, from the first on. */
	readonly addresses: readonly string[];
	readonly self: PeerIdentity;
	readonly incarnations: Incarnations;
	readonly complaints: Complaints;
	readonly transport: PeerTransport;
	/** An open link that has more than this to send is dropped: its peer does not read. */
	readonly maxQueuedBytes: number;
	readonly silenceLimitMs: number;
	readonly pingIntervalMs: number;
	onUp(): void;
	/** An open link is gone; what was under way on it may be lost. */
	onDown(): void;
}

/**
 * The connection that this node dials to one peer, and on which it sends; dialled again for as long as the peer is a
 * member. Nothing here has a timer of its own: `tick` comes after the sockets were read (P68).
 */
export class OutgoingLink {
	readonly #options: OutgoingLinkOptions;
	#socket: Socket | null = null;
	#outbox: Outbox | null = null;
	#isOpen = false;
	#addresses: readonly string[];
	/** Of the address that is dialled, or was. */
	#turn = 0;
	#nextDialMs = 0;
	#retryMs = firstRetryMs;
	#deadlineMs = 0;
	#heard = false;
	#pingedMs = 0;
	/** When the oldest ping without an answer was sent. */
	#askedMs: number | null = null;
	#sentBytes = 0;
	#refusal: Refusal | null = null;

	constructor(options: OutgoingLinkOptions) {
		this.#options = options;
		this.#addresses = options.addresses;
	}

	/** Where the peer is, or is looked for now. */
	get address(): string {
		return this.#addresses[this.#turn % this.#addresses.length] as string;
	}

	/**
	 * Where the peer is looked for from now on. A link that holds is kept while its address is among them: who speaks there
	 * has proved who it is, and a node that catches up meets addresses of long ago (P62).
	 */
	redirect(addresses: readonly string[]): void {
		if (addresses.join() === this.#addresses.join()) return;
		const { address } = this;
		const isKept = this.#isOpen && addresses.includes(address);
		this.#addresses = addresses;
		this.#turn = isKept ? addresses.indexOf(address) : 0;
		if (isKept) return;
		if (this.#socket !== null) this.#drop("its address has changed");
		this.dialSoon();
	}

	/** Null while there is nobody to send to: what would be sent is dropped, as on any network. */
	get outbox(): Outbox | null {
		return this.#isOpen ? this.#outbox : null;
	}

	/** Why the peer did not let this node in when it last said anything; null since it did. */
	get refusal(): Refusal | null {
		return this.#refusal;
	}

	get queuedBytes(): number {
		return this.#outbox?.queuedBytes ?? 0;
	}

	get sentBytes(): number {
		return this.#sentBytes + (this.#outbox?.sentBytes ?? 0);
	}

	tick(nowMs: number): void {
		if (this.#socket === null) {
			if (nowMs >= this.#nextDialMs) this.#dial(nowMs);
			return;
		}
		if (!this.#isOpen) {
			if (nowMs >= this.#deadlineMs)
				this.#drop(`no welcome within ${greetingTimeoutMs} ms`);
			return;
		}
		this.#keepAlive(nowMs);
	}

	#keepAlive(nowMs: number): void {
		const { silenceLimitMs, pingIntervalMs } = this.#options;
		// Only silence after a question counts: this node itself may have been away.
		if (this.#heard) this.#askedMs = null;
		this.#heard = false;
		if (this.#askedMs !== null && nowMs - this.#askedMs >= silenceLimitMs) {
			this.#drop(`silent for ${silenceLimitMs} ms`);
			return;
		}
		if (nowMs - this.#pingedMs < pingIntervalMs) return;
		this.#pingedMs = nowMs;
		this.#askedMs ??= nowMs;
		this.#outbox?.ping();
	}

	/** The peer was heard elsewhere, so that dialling is worth it now. */
	dialSoon(): void {
		if (this.#socket !== null) return;
		this.#retryMs = firstRetryMs;
		this.#nextDialMs = 0;
	}

	/** Sends what this turn has collected. */
	flush(): void {
		if (!this.#isOpen) return;
		this.#outbox?.flush();
		const { maxQueuedBytes } = this.#options;
		if (this.queuedBytes > maxQueuedBytes)
			this.#drop(`more than ${maxQueuedBytes} bytes wait to be sent`);
	}

	/** Sends what is queued, then ends; nothing is dialled any more. */
	close(): Promise<void> {
		this.#nextDialMs = Number.POSITIVE_INFINITY;
		const socket = this.#socket;
		const wasOpen = this.#isOpen;
		this.#forget();
		if (socket === null) return Promise.resolve();
		if (!wasOpen) socket.destroy();
		return new Promise((resolve) => {
			const timer = setTimeout(() => socket.destroy(), closeLimitMs);
			socket.once("close", () => {
				clearTimeout(timer);
				resolve();
			});
			if (wasOpen) socket.end();
		});
	}

	destroy(): void {
		this.#nextDialMs = Number.POSITIVE_INFINITY;
		this.#socket?.destroy();
		this.#forget();
	}

	#dial(nowMs: number): void {
		const { peer, self, transport } = this.#options;
		const socket = transport.dial(this.address, peer);
		this.#socket = socket;
		this.#heard = false;
		this.#deadlineMs = nowMs + greetingTimeoutMs;
		this.#nextDialMs = nowMs + this.#retryMs * spread();
		this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
		const splitter = new FrameSplitter({
			minFrameBytes: 1,
			maxFrameBytes: maxHandshakeFrameBytes,
		});
		socket.on(transport.opened, () =>
			socket.write(
				encodeHello({
					oldestVersion: oldestPeerVersion,
					newestVersion: newestPeerVersion,
					clusterId: self.clusterId,
					from: self.nodeId,
					incarnation: self.incarnation,
					to: peer,
					levels: self.levels,
					purpose: "messages",
				}),
			),
		);
		socket.on("data", (chunk) => {
			if (this.#socket !== socket) return;
			try {
				splitter.push(chunk, (frame) => this.#receive(frame));
			} catch (error) {
				this.#drop(reasonOf(error));
			}
		});
		socket.on("error", (error) => this.#ended(socket, reasonOf(error)));
		socket.on("close", () => this.#ended(socket, "closed by the other side"));
	}

	#receive(frame: Buffer): void {
		this.#heard = true;
		if (this.#isOpen) {
			if (frame[0] !== PeerFrameKind.pong)
				this.#drop(`a frame of kind ${frame[0]} instead of a pong`);
			return;
		}
		const { peer, self, incarnations } = this.#options;
		const greeting = decodeGreeting(frame);
		if (greeting.type === "refused") this.#refusal = greeting;
		const refusal =
			greeting.type === "refused"
				? greeting
				: refuseWelcome(greeting, peer, { self, incarnations });
		if (refusal !== null) this.#drop(refusal.sentence, refusal.cause);
		else this.#open();
	}

	#open(): void {
		const { peer, complaints, onUp } = this.#options;
		this.#isOpen = true;
		this.#refusal = null;
		this.#outbox = new Outbox(this.#socket as Socket);
		this.#retryMs = firstRetryMs;
		this.#pingedMs = 0;
		this.#askedMs = null;
		for (const address of this.#addresses)
			complaints.settled(`to ${peer} at ${address}`);
		onUp();
	}

	#ended(socket: Socket, reason: string): void {
		if (this.#socket === socket) this.#drop(reason);
	}

	#drop(reason: string, cause = "connection"): void {
		const { peer, complaints, onDown } = this.#options;
		const { address } = this;
		const wasOpen = this.#isOpen;
		this.#socket?.destroy();
		this.#forget();
		if (!wasOpen) this.#turn++;
		complaints.say({
			source: `to ${peer} at ${address}`,
			cause,
			level: cause === "connection" ? "info" : "warn",
			message: `no link to ${peer}: ${reason}`,
			fields: { peer, address, cause },
		});
		if (wasOpen) onDown();
	}

	#forget(): void {
		this.#sentBytes += this.#outbox?.sentBytes ?? 0;
		this.#socket = null;
		this.#outbox = null;
		this.#isOpen = false;
	}
}

/** Time for what is queued to leave when the node stops. */
const closeLimitMs = 500;

function spread(): number {
	return 1 + retrySpread * (2 * Math.random() - 1);
}
