import { commandOf } from "../../src/machines/session-command.js";
import { type Entry, EntryKind } from "../../src/raft/types.js";

/** Bytes of a command before its padding: u48 token, u8 key. */
const commandHeaderBytes = 7;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A command that sets register `key` and can be told from all others by its token. */
export function encodeCommand(
	token: number,
	key: number,
	paddingBytes: number,
): Uint8Array {
	const data = new Uint8Array(commandHeaderBytes + paddingBytes);
	data[0] = token & 0xff;
	data[1] = (token >>> 8) & 0xff;
	data[2] = (token >>> 16) & 0xff;
	data[3] = (token >>> 24) & 0xff;
	data[4] = Math.floor(token / 2 ** 32) & 0xff;
	data[5] = Math.floor(token / 2 ** 40) & 0xff;
	data[6] = key;
	return data;
}

/** A command to the cluster's own state, which carries its token along. */
export function encodeControl(
	token: number,
	command: Readonly<Record<string, unknown>>,
): Uint8Array {
	return encoder.encode(JSON.stringify({ ...command, token }));
}

/** Whether clients wait for what becomes of this entry. */
export function hasToken({ kind }: Entry): boolean {
	return (
		kind === EntryKind.command ||
		kind === EntryKind.sessionCommand ||
		kind === EntryKind.control
	);
}

export function tokenOf(entry: Entry): number {
	if (entry.kind === EntryKind.control)
		return (JSON.parse(decoder.decode(entry.data)) as { token: number }).token;
	const data =
		entry.kind === EntryKind.sessionCommand
			? commandOf(entry.data)
			: entry.data;
	return (
		(data[0] as number) +
		(data[1] as number) * 2 ** 8 +
		(data[2] as number) * 2 ** 16 +
		(data[3] as number) * 2 ** 24 +
		(data[4] as number) * 2 ** 32 +
		(data[5] as number) * 2 ** 40
	);
}

export function keyOf(entry: Entry): number {
	return entry.data[6] as number;
}
