import {
	acks,
	bodyHeaderBytes,
	ClientFrameKind,
	type CommandFrame,
	consistencies,
	lastRequestKind,
	type OpenSessionFrame,
	outcomes,
	payloadHeaderBytes,
	type QueryFrame,
	type RefusedFrame,
	type RequestFrame,
	type ResponseFrame,
	reasons,
	staleWithAge,
} from "./client-frames.js";
import { FrameError } from "./frame-splitter.js";

/**
 * Reads what a client sent; `command` and `query` are views of `frame`. A request of a newer client is a `refused`:
 * its length is known, so that what follows can be read. Throws FrameError for what no client would send.
 */
export function decodeRequestFrame(frame: Buffer): RequestFrame | RefusedFrame {
	const kind = frame[0] as number;
	const requestId = frame.readUInt32LE(1);
	switch (kind) {
		case ClientFrameKind.command:
			return readCommand(frame, requestId);
		case ClientFrameKind.query:
			return readQuery(frame, requestId);
		case ClientFrameKind.openSession:
			return readOpenSession(frame, requestId);
		case ClientFrameKind.sessionCommand:
			return readSessionCommand(frame, requestId);
		case ClientFrameKind.levelledCommand:
			return readLevelledCommand(frame, requestId);
	}
	if (kind === 0 || kind > lastRequestKind)
		throw new FrameError(`a request of unknown kind ${kind}`);
	return refused(requestId, "unsupported", `a request of kind ${kind}`);
}

/** Of a command without a session; null for every other frame, and for what may be none. */
export function requestIdOfCommand(frame: Buffer): number | null {
	return frame[0] === ClientFrameKind.command &&
		frame.length >= bodyHeaderBytes + payloadHeaderBytes.command
		? frame.readUInt32LE(1)
		: null;
}

function readCommand(
	frame: Buffer,
	requestId: number,
): CommandFrame | RefusedFrame {
	need(frame, payloadHeaderBytes.command);
	const ack = acks[frame[5] as number];
	if (ack === undefined) return unknownAck(frame, requestId);
	return {
		kind: "command",
		requestId,
		ack,
		deadlineMs: frame.readUInt32LE(6),
		command: frame.subarray(bodyHeaderBytes + payloadHeaderBytes.command),
	};
}

function readLevelledCommand(
	frame: Buffer,
	requestId: number,
): CommandFrame | RefusedFrame {
	need(frame, payloadHeaderBytes.levelledCommand);
	const ack = acks[frame[5] as number];
	if (ack === undefined) return unknownAck(frame, requestId);
	const level = frame[6] as number;
	return {
		kind: "command",
		requestId,
		ack,
		...(level === 0 ? {} : { level }),
		deadlineMs: frame.readUInt32LE(7),
		command: frame.subarray(
			bodyHeaderBytes + payloadHeaderBytes.levelledCommand,
		),
	};
}

function readSessionCommand(
	frame: Buffer,
	requestId: number,
): CommandFrame | RefusedFrame {
	need(frame, payloadHeaderBytes.sessionCommand);
	const ack = acks[frame[5] as number];
	if (ack === undefined) return unknownAck(frame, requestId);
	const level = frame[6] as number;
	const session = {
		id: frame.readUIntLE(11, 6),
		sequence: frame.readUIntLE(17, 6),
		acknowledged: frame.readUIntLE(23, 6),
	};
	if (session.id === 0 || session.acknowledged >= session.sequence)
		return refused(
			requestId,
			"invalid",
			"a session has an id, and acknowledges less than the sequence number",
		);
	return {
		kind: "command",
		requestId,
		ack,
		...(level === 0 ? {} : { level }),
		deadlineMs: frame.readUInt32LE(7),
		session,
		command: frame.subarray(
			bodyHeaderBytes + payloadHeaderBytes.sessionCommand,
		),
	};
}

function readOpenSession(frame: Buffer, requestId: number): OpenSessionFrame {
	need(frame, payloadHeaderBytes.openSession);
	return {
		kind: "open-session",
		requestId,
		deadlineMs: frame.readUInt32LE(5),
	};
}

function readQuery(
	frame: Buffer,
	requestId: number,
): QueryFrame | RefusedFrame {
	need(frame, payloadHeaderBytes.query);
	const code = frame[5] as number;
	const wantsAge = code === staleWithAge;
	const consistency = wantsAge ? "stale" : consistencies[code];
	if (consistency === undefined)
		return refused(requestId, "unsupported", `consistency ${code}`);
	return {
		kind: "query",
		requestId,
		consistency,
		...(wantsAge ? { wantsAge } : {}),
		minIndex: frame.readUIntLE(6, 6),
		deadlineMs: frame.readUInt32LE(12),
		query: frame.subarray(bodyHeaderBytes + payloadHeaderBytes.query),
	};
}

function unknownAck(frame: Buffer, requestId: number): RefusedFrame {
	return refused(requestId, "unsupported", `ack ${frame[5]}`);
}

function refused(
	requestId: number,
	reason: RefusedFrame["reason"],
	what: string,
): RefusedFrame {
	// Under 0 a node speaks of the whole stream.
	if (requestId === 0) throw new FrameError(`${what}, under request id 0`);
	const message =
		reason === "invalid" ? what : `this release does not know ${what}`;
	return { kind: "refused", requestId, reason, message };
}

/** Reads what a node sent. `result` is a view of `frame`. Throws FrameError. */
export function decodeResponseFrame(frame: Buffer): ResponseFrame {
	const kind = frame[0];
	const requestId = frame.readUInt32LE(1);
	switch (kind) {
		case ClientFrameKind.result:
			need(frame, payloadHeaderBytes.result);
			return {
				kind: "result",
				requestId,
				index: frame.readUIntLE(5, 6),
				result: frame.subarray(bodyHeaderBytes + payloadHeaderBytes.result),
			};
		case ClientFrameKind.agedResult:
			need(frame, payloadHeaderBytes.agedResult);
			return {
				kind: "result",
				requestId,
				index: frame.readUIntLE(5, 6),
				ageMs: frame.readUInt32LE(11),
				result: frame.subarray(bodyHeaderBytes + payloadHeaderBytes.agedResult),
			};
		case ClientFrameKind.session:
			need(frame, payloadHeaderBytes.session);
			return {
				kind: "session",
				requestId,
				id: frame.readUIntLE(5, 6),
				ttlMs: frame.readUInt32LE(11),
			};
		case ClientFrameKind.failed:
			return readFailed(frame, requestId);
		case ClientFrameKind.goaway:
			return { kind: "goaway", requestId: 0 };
	}
	throw new FrameError(`an answer of unknown kind ${kind}`);
}

function readFailed(frame: Buffer, requestId: number): ResponseFrame {
	need(frame, payloadHeaderBytes.failed);
	const outcome = outcomes[frame[5] as number];
	if (outcome === undefined)
		throw new FrameError(`unknown outcome ${frame[5]}`);
	return {
		kind: "failed",
		requestId,
		outcome,
		// A reason that a newer node has and this client has not is still a failure: its outcome says what to do.
		reason: reasons[frame[6] as number] ?? "unknown",
		retryAfterMs: frame.readUInt32LE(7),
		message: frame.toString(
			"utf8",
			bodyHeaderBytes + payloadHeaderBytes.failed,
		),
	};
}

function need(frame: Buffer, payloadBytes: number): void {
	if (frame.length < bodyHeaderBytes + payloadBytes)
		throw new FrameError(
			`a frame of kind ${frame[0]} cut short at ${frame.length} bytes`,
		);
}
