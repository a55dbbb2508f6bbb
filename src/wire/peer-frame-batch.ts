import type { Message } from "../raft/types.js";
import { acks, reasons } from "./client-frames.js";
import {
	answerBytes,
	type ForwardAnswer,
	type ForwardedCommand,
	forwardHeaderBytes,
	outcomeKinds,
	sentenceBytes,
} from "./forward-frames.js";
import { PeerFlag, PeerFrameKind } from "./peer-frames.js";

const headerBytes = 5;
/** Shorter blocks are copied beside the other frames; longer ones are parts of their own, never copied. */
const copiedBlockBytes = 8 * 1024;
const chunkBytes = 16 * 1024;

/** Bytes to send as they are. */
export interface FramePart {
	readonly bytes: Uint8Array;
	/** False when the next part continues the same frame: nothing else may come between them. */
	readonly endsFrame: boolean;
}

/**
 * Collects frames, so that a turn's frames leave in one write. `take` hands the parts over for good: the batch never
 * writes into them again.
 */
export class PeerFrameBatch {
	#parts: FramePart[] = [];
	#buffer: Buffer = Buffer.alloc(0);
	/** What lies before `#start` in `#buffer` was cut off as a part; frames go to `#end`. */
	#start = 0;
	#end = 0;
	#bytes = 0;

	/** Bytes not yet taken. */
	get bytes(): number {
		return this.#bytes;
	}

	/** `block` holds the entries of an append-request (raft/codec.ts); for other messages it is not read. */
	message(message: Message, block: Uint8Array): void {
		switch (message.type) {
			case "append-request":
				this.#open(PeerFrameKind.appendRequest, 30, block.length);
				this.#u48(message.term);
				this.#u48(message.session);
				this.#u48(message.prevIndex);
				this.#u48(message.prevTerm);
				this.#u48(message.commit);
				this.#block(block);
				break;
			case "append-response":
				this.#open(PeerFrameKind.appendResponse, 37);
				this.#u48(message.term);
				this.#u48(message.session);
				this.#u8(message.success ? 1 : 0);
				this.#u48(message.match);
				this.#u48(message.rejected);
				this.#u48(message.hintIndex);
				this.#u48(message.hintTerm);
				break;
			case "heartbeat":
				this.#open(PeerFrameKind.heartbeat, 42);
				this.#u48(message.term);
				this.#u48(message.session);
				this.#u48(message.commit);
				this.#u48(message.read);
				this.#u48(message.stamp);
				this.#u48(message.currentCommit);
				this.#u48(message.currentStamp);
				break;
			case "heartbeat-response":
				this.#open(PeerFrameKind.heartbeatResponse, 24);
				this.#u48(message.term);
				this.#u48(message.session);
				this.#u48(message.read);
				this.#u48(message.stamp);
				break;
			default:
				this.#rareMessage(message);
		}
	}

	#rareMessage(message: Message): void {
		switch (message.type) {
			case "vote-request":
				this.#open(PeerFrameKind.voteRequest, 25);
				this.#u48(message.term);
				this.#flags(message.pre, message.transfer);
				this.#u48(message.attempt);
				this.#u48(message.lastIndex);
				this.#u48(message.lastTerm);
				break;
			case "vote-response":
				this.#open(PeerFrameKind.voteResponse, 13);
				this.#u48(message.term);
				this.#flags(message.pre, message.granted);
				this.#u48(message.attempt);
				break;
			case "snapshot-offer":
				this.#open(PeerFrameKind.snapshotOffer, 24);
				this.#u48(message.term);
				this.#u48(message.session);
				this.#u48(message.snapshotIndex);
				this.#u48(message.snapshotTerm);
				break;
			case "timeout-now":
				this.#open(PeerFrameKind.timeoutNow, 6);
				this.#u48(message.term);
				break;
			case "read-request":
				this.#open(PeerFrameKind.readRequest, 12);
				this.#u48(message.term);
				this.#u48(message.sequence);
				break;
			case "read-response":
				this.#open(PeerFrameKind.readResponse, 19);
				this.#u48(message.term);
				this.#u8(message.index === null ? 0 : 1);
				this.#u48(message.sequence);
				this.#u48(message.index ?? 0);
				break;
		}
	}

	/** One frame; the caller keeps it within the limit. */
	forward(commands: readonly ForwardedCommand[]): void {
		let bytes = 0;
		for (const { command } of commands)
			bytes += forwardHeaderBytes + command.length;
		this.#open(PeerFrameKind.forward, bytes);
		for (const forwarded of commands) {
			const { requestId, kind, level, ack, deadlineMs, command } = forwarded;
			this.#u48(requestId);
			this.#u8(kind);
			this.#u8(level);
			this.#u8(acks.indexOf(ack));
			this.#u32(deadlineMs);
			this.#u32(command.length);
			this.#set(command);
		}
	}

	/** One frame; the caller keeps it within the limit. */
	outcomes(answers: readonly ForwardAnswer[]): void {
		let bytes = 0;
		for (const answer of answers) bytes += answerBytes(answer);
		this.#open(PeerFrameKind.outcomes, bytes);
		for (const answer of answers) this.#answer(answer);
	}

	#answer({ requestId, outcome }: ForwardAnswer): void {
		this.#u48(requestId);
		this.#u8(outcomeKinds.indexOf(outcome.kind));
		if (outcome.kind === "committed") this.#u48(outcome.index);
		else if (outcome.kind === "applied") {
			this.#u48(outcome.index);
			this.#u32(outcome.result.length);
			this.#set(outcome.result);
		} else if (outcome.kind === "rejected") {
			this.#u8(reasons.indexOf(outcome.reason));
			this.#u32(outcome.retryAfterMs);
			this.#sentence(outcome.message);
		} else if (outcome.kind === "unknown") this.#sentence(outcome.message);
	}

	ping(): void {
		this.#open(PeerFrameKind.ping, 0);
	}

	pong(): void {
		this.#open(PeerFrameKind.pong, 0);
	}

	/** Everything since the last call, in order; empty when there is nothing. */
	take(): FramePart[] {
		this.#cut(true);
		const parts = this.#parts;
		if (parts.length > 0) this.#parts = [];
		this.#bytes = 0;
		return parts;
	}

	/** Begins a frame with `payloadBytes` that are written here, and `blockBytes` that may become a part. */
	#open(kind: number, payloadBytes: number, blockBytes = 0): void {
		const copied = blockBytes <= copiedBlockBytes ? blockBytes : 0;
		this.#reserve(headerBytes + payloadBytes + copied);
		this.#bytes += headerBytes + payloadBytes + blockBytes;
		this.#u32(1 + payloadBytes + blockBytes);
		this.#u8(kind);
	}

	#reserve(bytes: number): void {
		if (bytes <= this.#buffer.length - this.#end) return;
		this.#cut(true);
		this.#buffer = Buffer.allocUnsafe(Math.max(bytes, chunkBytes));
		this.#start = 0;
		this.#end = 0;
	}

	#cut(endsFrame: boolean): void {
		if (this.#end === this.#start) return;
		const bytes = this.#buffer.subarray(this.#start, this.#end);
		this.#parts.push({ bytes, endsFrame });
		this.#start = this.#end;
	}

	#block(block: Uint8Array): void {
		if (block.length <= copiedBlockBytes) this.#set(block);
		else {
			this.#cut(false);
			this.#parts.push({ bytes: block, endsFrame: true });
		}
	}

	#u8(value: number): void {
		this.#buffer[this.#end++] = value;
	}

	#u16(value: number): void {
		this.#end = this.#buffer.writeUInt16LE(value, this.#end);
	}

	#u32(value: number): void {
		this.#end = this.#buffer.writeUInt32LE(value, this.#end);
	}

	#u48(value: number): void {
		this.#end = this.#buffer.writeUIntLE(value, this.#end, 6);
	}

	#flags(first: boolean, second: boolean): void {
		this.#u8((first ? PeerFlag.first : 0) | (second ? PeerFlag.second : 0));
	}

	#set(bytes: Uint8Array): void {
		this.#buffer.set(bytes, this.#end);
		this.#end += bytes.length;
	}

	#sentence(message: string): void {
		const text = sentenceBytes(message);
		this.#u16(text.length);
		this.#set(text);
	}
}
