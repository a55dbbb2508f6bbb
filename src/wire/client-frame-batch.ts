import {
	acks,
	bodyHeaderBytes,
	ClientFrameKind,
	type CommandFrame,
	consistencies,
	type FailedFrame,
	type OpenSessionFrame,
	outcomes,
	payloadHeaderBytes,
	type QueryFrame,
	reasons,
	type SessionPlace,
	staleWithAge,
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
		const { requestId, ack, deadlineMs, command, session, level } = frame;
		if (session !== undefined) {
			this.#sessionCommand(frame, session);
			return;
		}
		if (level !== undefined) {
			this.#levelledCommand(frame, level);
			return;
		}
		const at = this.#open(
			ClientFrameKind.command,
			requestId,
			payloadHeaderBytes.command + command.length,
		);
		this.#buffer[at] = acks.indexOf(ack);
		this.#buffer.writeUInt32LE(deadlineMs, at + 1);
		this.#buffer.set(command, at + payloadHeaderBytes.command);
	}

	#sessionCommand(
		{ requestId, ack, deadlineMs, command, level }: Omit<CommandFrame, "kind">,
		{ id, sequence, acknowledged }: SessionPlace,
	): void {
		const at = this.#open(
			ClientFrameKind.sessionCommand,
			requestId,
			payloadHeaderBytes.sessionCommand + command.length,
		);
		this.#buffer[at] = acks.indexOf(ack);
		this.#buffer[at + 1] = level ?? 0;
		this.#buffer.writeUInt32LE(deadlineMs, at + 2);
		this.#buffer.writeUIntLE(id, at + 6, 6);
		this.#buffer.writeUIntLE(sequence, at + 12, 6);
		this.#buffer.writeUIntLE(acknowledged, at + 18, 6);
		this.#buffer.set(command, at + payloadHeaderBytes.sessionCommand);
	}

	#levelledCommand(
		{ requestId, ack, deadlineMs, command }: Omit<CommandFrame, "kind">,
		level: number,
	): void {
		const at = this.#open(
			ClientFrameKind.levelledCommand,
			requestId,
			payloadHeaderBytes.levelledCommand + command.length,
		);
		this.#buffer[at] = acks.indexOf(ack);
		this.#buffer[at + 1] = level;
		this.#buffer.writeUInt32LE(deadlineMs, at + 2);
		this.#buffer.set(command, at + payloadHeaderBytes.levelledCommand);
	}

	openSession(frame: Omit<OpenSessionFrame, "kind">): void {
		const at = this.#open(
			ClientFrameKind.openSession,
			frame.requestId,
			payloadHeaderBytes.openSession,
		);
		this.#buffer.writeUInt32LE(frame.deadlineMs, at);
	}

	query(frame: Omit<QueryFrame, "kind">): void {
		const { requestId, consistency, minIndex, deadlineMs, query } = frame;
		const isAged = frame.wantsAge === true && consistency === "stale";
		const at = this.#open(
			ClientFrameKind.query,
			requestId,
			payloadHeaderBytes.query + query.length,
		);
		this.#buffer[at] = isAged
			? staleWithAge
			: consistencies.indexOf(consistency);
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

	/** To a query that wants the age, and to no other: an older client cannot read it. */
	agedResult(
		requestId: number,
		{ index, ageMs }: { readonly index: number; readonly ageMs: number },
		result: Uint8Array,
	): void {
		const at = this.#open(
			ClientFrameKind.agedResult,
			requestId,
			payloadHeaderBytes.agedResult + result.length,
		);
		this.#buffer.writeUIntLE(index, at, 6);
		this.#buffer.writeUInt32LE(wholeMs(ageMs), at + 6);
		this.#buffer.set(result, at + payloadHeaderBytes.agedResult);
	}

	session(requestId: number, id: number, ttlMs: number): void {
		const at = this.#open(
			ClientFrameKind.session,
			requestId,
			payloadHeaderBytes.session,
		);
		this.#buffer.writeUIntLE(id, at, 6);
		this.#buffer.writeUInt32LE(wholeMs(ttlMs), at + 6);
	}

	failed(frame: Omit<FailedFrame, "kind">): void {
		const { message } = frame;
		const at = this.#open(
			ClientFrameKind.failed,
			frame.requestId,
			payloadHeaderBytes.failed + Buffer.byteLength(message),
		);
		this.#buffer[at] = outcomes.indexOf(frame.outcome);
		this.#buffer[at + 1] = reasons.indexOf(frame.reason);
		this.#buffer.writeUInt32LE(wholeMs(frame.retryAfterMs), at + 2);
		// Under overload most answers are this one: no buffer is made of each message.
		this.#buffer.write(message, at + payloadHeaderBytes.failed);
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

/** As 32 bits hold it, and never less than it is. */
function wholeMs(ms: number): number {
	return Math.min(Math.ceil(ms), 0xffff_ffff);
}
