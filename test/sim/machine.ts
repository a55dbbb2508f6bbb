import { type Entry, EntryKind } from "../../src/raft/types.js";

/** Bytes of a command before its padding: u48 token, u8 key. */
const commandHeaderBytes = 7;

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

export function tokenOf(entry: Entry): number {
	const { data } = entry;
	return (
		(data[0] as number) +
		(data[1] as number) * 2 ** 8 +
		(data[2] as number) * 2 ** 16 +
		(data[3] as number) * 2 ** 24 +
		(data[4] as number) * 2 ** 32 +
		(data[5] as number) * 2 ** 40
	);
}

/** Registers, each holding the index of its last write, and a hash chained over everything that was applied. */
export class RegisterMachine {
	applied = 0;
	hash = 0;
	readonly registers: Int32Array;

	constructor(keys: number) {
		this.registers = new Int32Array(keys);
	}

	apply(entry: Entry): void {
		this.applied = entry.index;
		if (entry.kind === EntryKind.command)
			this.registers[entry.data[6] as number] = entry.index;
		let hash = Math.imul(this.hash ^ entry.index, 0x01000193);
		hash = Math.imul(hash ^ entry.term, 0x01000193);
		hash = Math.imul(hash ^ entry.kind, 0x01000193);
		hash = Math.imul(hash ^ entry.data.length, 0x01000193);
		if (entry.kind === EntryKind.command)
			hash = Math.imul(hash ^ (tokenOf(entry) | 0), 0x01000193);
		this.hash = hash;
	}
}
