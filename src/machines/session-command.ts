import { ByteReader, ByteWriter } from "./byte-cursor.js";
import { MachineInputError } from "./machine.js";

/** The command's place in its session. */
export interface SessionStamp {
	/** The index of the entry that opened the session. */
	readonly id: number;
	/** Rises by one with every command, from 1 on; a second attempt repeats it. */
	readonly sequence: number;
	/** The client has the results of all commands up to here. Below `sequence`. */
	readonly acknowledged: number;
}

/** What an entry of kind sessionCommand holds before the command: u48 id, u48 sequence, u48 acknowledged. */
export const stampBytes = 18;

/** Throws MachineInputError for a stamp that makes no sense. */
export function encodeSessionCommand(
	stamp: SessionStamp,
	command: Uint8Array,
): Buffer {
	checkStamp(stamp);
	return new ByteWriter(stampBytes + command.length)
		.u48(stamp.id)
		.u48(stamp.sequence)
		.u48(stamp.acknowledged)
		.raw(command).bytes;
}

/** The command is a view. Throws MachineInputError for bytes that are no command of a session. */
export function decodeSessionCommand(data: Uint8Array): {
	readonly stamp: SessionStamp;
	readonly command: Uint8Array;
} {
	const reader = new ByteReader(data);
	const stamp = {
		id: reader.u48("the session"),
		sequence: reader.u48("the sequence number"),
		acknowledged: reader.u48("the acknowledged number"),
	};
	checkStamp(stamp);
	return { stamp, command: reader.rest() };
}

/** The command alone, a view; nothing when the bytes are too few. */
export function commandOf(data: Uint8Array): Uint8Array {
	return data.subarray(stampBytes);
}

function checkStamp({ sequence, acknowledged }: SessionStamp): void {
	if (sequence > acknowledged) return;
	throw new MachineInputError(
		`the sequence number ${sequence} is not above the acknowledged ${acknowledged}`,
	);
}

/** What became of a session's command: the result of its only execution, or why it was not executed now. */
export type SessionAnswer =
	| {
			readonly kind: "executed";
			/** At which it was executed: that of the first attempt, whichever is answered. */
			readonly index: number;
			readonly result: Uint8Array;
	  }
	| {
			readonly kind: "refused";
			readonly reason: SessionRefusal;
			readonly message: string;
	  };

export type SessionRefusal = "session-expired" | "session-misused";

const Code = { executed: 0, "session-expired": 1, "session-misused": 2 };
const answerHeaderBytes = 7;

/**
 * The result of an entry of kind sessionCommand: u8 code | u48 index | the machine's result. Of one that was refused:
 * the code, the entry's own index and a message in UTF-8.
 */
export function encodeSessionAnswer(
	answer: SessionAnswer,
	entryIndex: number,
): Buffer {
	if (answer.kind === "executed") {
		const { index, result } = answer;
		return new ByteWriter(answerHeaderBytes + result.length)
			.u8(Code.executed)
			.u48(index)
			.raw(result).bytes;
	}
	const message = Buffer.from(answer.message);
	return new ByteWriter(answerHeaderBytes + message.length)
		.u8(Code[answer.reason])
		.u48(entryIndex)
		.raw(message).bytes;
}

/** What of an answer's bytes is the same in every release, to be compared between nodes: a refusal's words are not. */
export function lastingPart(answer: Uint8Array): Uint8Array {
	return answer[0] === Code.executed
		? answer
		: answer.subarray(0, answerHeaderBytes);
}

/** The result is a view. Throws MachineInputError for bytes that are no such answer. */
export function decodeSessionAnswer(bytes: Uint8Array): SessionAnswer {
	const reader = new ByteReader(bytes);
	const code = reader.u8("the answer");
	const index = reader.u48("the index");
	const rest = reader.rest();
	if (code === Code.executed) return { kind: "executed", index, result: rest };
	const reason = refusals.find((each) => Code[each] === code);
	if (reason === undefined)
		throw new MachineInputError(`no answer of a session has the code ${code}`);
	return { kind: "refused", reason, message: rest.toString("utf8") };
}

const refusals: readonly SessionRefusal[] = [
	"session-expired",
	"session-misused",
];
