import {
	acks,
	bodyHeaderBytes,
	ClientFrameKind,
	type CommandFrame,
	consistencies,
	type FailedFrame,
	outcomes,
	payloadHeaderBytes,
	type QueryFrame,
	reasons,
} from "./client-frames.js";

const lengthBytes = 4;

/**
 * Collects frames into one buffer, so that a turn's frames leave in one write. `take` hands the buffer over for good:
 * the batch never writes into it again.
 */
export class FrameBatch {
	#buffer: Buffer = Buffer.alloc(0);
	#bytes = 0;
	#capacity = 512;

	/** Bytes not yet taken. */
	get bytes(): number {
		return this.#bytes;
	}

	command(frame: Omit<CommandFrame, "kind">): void {
		const { requestId, ack, deadlineMs, command } = frame;
		const at = this.#open(
			ClientFrameKind.command,
			requestId,
			payloadHeaderBytes.command + command.length,
		);
		this.#buffer[at] = acks.indexOf(ack);
		this.#buffer.writeUInt32LE(deadlineMs, at + 1);
		this.#buffer.set(command, at + payloadHeaderBytes.command);
	}

	query(frame: Omit<QueryFrame, "kind">): void {
		const { requestId, consistency, minIndex, deadlineMs, query } = frame;
		const at = this.#open(
			ClientFrameKind.query,
			requestId,
			payloadHeaderBytes.query + query.length,
		);
		this.#buffer[at] = consistencies.indexOf(consistency);
		this.#buffer.writeUIntLE(minIndex, at + 1, 6);
		this.#buffer.writeUInt32LE(deadlineMs, at + 7);
		this.#buffer.set(query, at + payloadHeaderBytes.query);
	}

	result(requestId: number, index: number, result: Uint8Array): void {
		const at = this.#open(
			ClientFrameKind.result,
			requestId,
			payloadHeaderBytes.result + result.length,
		);
		this.#buffer.writeUIntLE(index, at, 6);
		this.#buffer.set(result, at + payloadHeaderBytes.result);
	}

	failed(frame: Omit<FailedFrame, "kind">): void {
		const message = Buffer.from(frame.message);
		const at = this.#open(
			ClientFrameKind.failed,
			frame.requestId,
			payloadHeaderBytes.failed + message.length,
		);
		this.#buffer[at] = outcomes.indexOf(frame.outcome);
		this.#buffer[at + 1] = reasons.indexOf(frame.reason);
		this.#buffer.writeUInt32LE(
			Math.min(Math.ceil(frame.retryAfterMs), 0xffff_ffff),
			at + 2,
		);
		this.#buffer.set(message, at + payloadHeaderBytes.failed);
	}

	goaway(): void {
		this.#open(ClientFrameKind.goaway, 0, 0);
	}

	/** Everything since the last call; empty when there is nothing. */
	take(): Buffer {
		const taken = this.#buffer.subarray(0, this.#bytes);
		// The next turn is likely to need as much; small ones come from Node's own pool.
		this.#capacity = Math.min(Math.max(this.#bytes, 512), 64 * 1024);
		this.#buffer = Buffer.alloc(0);
		this.#bytes = 0;
		return taken;
	}

	/** Room for a frame, its header written; returns the offset of its payload. */
	#open(kind: number, requestId: number, payloadBytes: number): number {
		const start = this.#bytes;
		const end = start + lengthBytes + bodyHeaderBytes + payloadBytes;
		if (end > this.#buffer.length) this.#grow(end);
		this.#buffer.writeUInt32LE(bodyHeaderBytes + payloadBytes, start);
		this.#buffer[start + 4] = kind;
		this.#buffer.writeUInt32LE(requestId, start + 5);
		this.#bytes = end;
		return start + lengthBytes + bodyHeaderBytes;
	}

	#grow(bytes: number): void {
		const larger = Buffer.allocUnsafe(
			Math.max(bytes, this.#buffer.length * 2, this.#capacity),
		);
		larger.set(this.#buffer.subarray(0, this.#bytes));
		this.#buffer = larger;
	}
}
