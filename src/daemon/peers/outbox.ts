import type { Socket } from "node:net";
import type { Message } from "../../raft/types.js";
import type {
	ForwardAnswer,
	ForwardedCommand,
} from "../../wire/forward-frames.js";
import { type FramePart, PeerFrameBatch } from "../../wire/peer-frame-batch.js";

/** Bulk is handed to the socket only while less than this waits there, so that a heartbeat never waits behind more. */
const bulkWatermarkBytes = 256 * 1024;

/**
 * What is to be sent on one connection. Two lanes: control (votes, heartbeats, acks: small, urgent) overtakes bulk
 * (entries, commands and their outcomes). The core takes messages in any order, and within a lane there is one.
 */
export class Outbox {
	readonly #socket: Socket;
	readonly #control = new PeerFrameBatch();
	readonly #bulk = new PeerFrameBatch();
	/** Bulk that the socket has not taken yet; from `#head` on. */
	#parts: FramePart[] = [];
	#head = 0;
	#waitingBytes = 0;
	sentBytes = 0;

	constructor(socket: Socket) {
		this.#socket = socket;
		socket.on("drain", () => this.#sendBulk());
	}

	/** Everything that is accepted and not yet in the kernel's hands. */
	get queuedBytes(): number {
		return (
			this.#control.bytes +
			this.#bulk.bytes +
			this.#waitingBytes +
			this.#socket.writableLength
		);
	}

	message(message: Message, block: Uint8Array): void {
		if (message.type === "append-request" && block.length > 0)
			this.#bulk.message(message, block);
		else this.#control.message(message, block);
	}

	forward(commands: readonly ForwardedCommand[]): void {
		this.#bulk.forward(commands);
	}

	outcomes(answers: readonly ForwardAnswer[]): void {
		this.#bulk.outcomes(answers);
	}

	ping(): void {
		this.#control.ping();
	}

	/** Hands over what this turn has collected, in one write. */
	flush(): void {
		if (this.#control.bytes === 0 && this.#bulk.bytes === 0) return;
		this.#socket.cork();
		for (const part of this.#control.take()) this.#write(part.bytes);
		this.#waitingBytes += this.#bulk.bytes;
		for (const part of this.#bulk.take()) this.#parts.push(part);
		this.#sendBulk();
		this.#socket.uncork();
	}

	#sendBulk(): void {
		let betweenFrames = true;
		while (this.#head < this.#parts.length) {
			if (betweenFrames && this.#socket.writableLength >= bulkWatermarkBytes)
				return;
			const part = this.#parts[this.#head++] as FramePart;
			betweenFrames = part.endsFrame;
			this.#waitingBytes -= part.bytes.length;
			this.#write(part.bytes);
		}
		if (this.#head > 0) this.#parts = [];
		this.#head = 0;
	}

	#write(bytes: Uint8Array): void {
		this.sentBytes += bytes.length;
		this.#socket.write(bytes);
	}
}
