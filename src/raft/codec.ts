import type { Configuration, Entry, EntryKind } from "./types.js";

/**
 * The one layout of an entry in bytes, in the log on disk as in the frames between peers, so that the leader encodes
 * a batch once for all of them (docs/formats.md). Little-endian:
 *
 *     0  u48  index      6  u48  term      12  u8  kind      13  u8  level      14  u32  data length      18  data
 *
 * A block is such entries, one after another, with rising indexes. 48 bits hold 8,900 years of a million entries a
 * second, and every value that fits is a safe integer (P70).
 */
export const entryHeaderBytes = 18;

const limit48 = 2 ** 48;

/** The bytes that an entry takes in a block; also its share of every byte limit. */
export function entryBytes(entry: Entry): number {
	return entryHeaderBytes + entry.data.length;
}

export function blockBytes(entries: readonly Entry[]): number {
	let bytes = 0;
	for (const entry of entries) bytes += entryHeaderBytes + entry.data.length;
	return bytes;
}

/** Writes `entries` into `target` from `offset` on; returns the offset behind them. */
export function encodeBlock(
	entries: readonly Entry[],
	target: Uint8Array,
	offset: number,
): number {
	let at = offset;
	for (const entry of entries) {
		at = write48(target, at, entry.index);
		at = write48(target, at, entry.term);
		target[at++] = entry.kind;
		target[at++] = entry.level;
		at = write32(target, at, entry.data.length);
		target.set(entry.data, at);
		at += entry.data.length;
	}
	return at;
}

/**
 * Reads a whole block. Data are views into `block`, not copies. Throws a RangeError that names the offset when a
 * length runs over the end, or indexes do not rise by one. A kind that this release does not know is not refused here:
 * such an entry is stored and sent on, and stops whoever would have to execute it (P61).
 */
export function decodeBlock(block: Uint8Array): Entry[] {
	const entries: Entry[] = [];
	let at = 0;
	let previous = 0;
	while (at < block.length) {
		if (block.length - at < entryHeaderBytes)
			throw new RangeError(`entry header cut short at offset ${at}`);
		const index = read48(block, at);
		const kind = block[at + 12] as number;
		const length = read32(block, at + 14);
		const dataAt = at + entryHeaderBytes;
		if (length > block.length - dataAt)
			throw new RangeError(`entry data cut short at offset ${at}`);
		if (index === 0 || (previous !== 0 && index !== previous + 1)) {
			throw new RangeError(
				`entry ${index} follows ${previous} at offset ${at}`,
			);
		}
		entries.push({
			index,
			term: read48(block, at + 6),
			kind: kind as EntryKind,
			level: block[at + 13] as number,
			data: block.subarray(dataAt, dataAt + length),
		});
		previous = index;
		at = dataAt + length;
	}
	return entries;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** A configuration as an entry's data: JSON with fixed key order, so that equal ones are equal bytes. */
export function encodeConfiguration(configuration: Configuration): Uint8Array {
	const { voters, outgoing, learners, addresses } = configuration;
	return encoder.encode(
		JSON.stringify({ voters, outgoing, learners, addresses }),
	);
}

/** Every decision counts over all of them; the largest cluster file has 50. */
const maxMembers = 1024;
/** What a name has room for in the peers' handshake: a member with a longer one could never connect. */
const maxNameBytes = 255;
/** Of the largest configuration with names and addresses as people write them. */
const maxConfigurationBytes = 1024 * 1024;

/**
 * Throws a SyntaxError, TypeError or RangeError when the bytes are no configuration: one that was in force could commit
 * without a majority, if it named nobody or one node twice.
 */
export function decodeConfiguration(data: Uint8Array): Configuration {
	if (data.length > maxConfigurationBytes)
		throw new RangeError(`a configuration of ${data.length} bytes`);
	const {
		voters,
		outgoing,
		learners,
		addresses = {},
	} = JSON.parse(decoder.decode(data));
	if (![voters, outgoing, learners].every(isNames))
		throw new TypeError("a configuration's members are not names");
	if (voters.length === 0)
		throw new TypeError("a configuration names no voter");
	// In `outgoing` a node may be a second time: while it changes its role (paper, section 6).
	const both = voters.find((name: string) => learners.includes(name));
	if (both !== undefined)
		throw new TypeError(`${both} is a voter and a learner`);
	if (!isAddresses(addresses))
		throw new TypeError("a configuration's addresses are none");
	return {
		...{ voters, outgoing, learners },
		// Without a prototype: "constructor" is a name like any other.
		addresses: Object.assign(Object.create(null), addresses),
	};
}

/** A list of members, each once. */
function isNames(value: unknown): value is string[] {
	if (!Array.isArray(value) || !value.every(isName)) return false;
	if (value.length > maxMembers)
		throw new RangeError(`a configuration of ${value.length} members`);
	return new Set(value).size === value.length;
}

function isName(value: unknown): value is string {
	if (typeof value !== "string" || value === "") return false;
	return encoder.encode(value).length <= maxNameBytes;
}

function isAddresses(value: unknown): value is Configuration["addresses"] {
	return isObject(value) && Object.values(value).every(isAddress);
}

function isAddress(value: unknown): boolean {
	if (!isObject(value)) return false;
	const { peer, client, admin, incarnation = "" } = value;
	return [peer, client, admin, incarnation].every(
		(part) => typeof part === "string",
	);
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function write48(target: Uint8Array, at: number, value: number): number {
	if (!(value >= 0 && value < limit48))
		throw new RangeError(`${value} does not fit 48 bits`);
	write32(target, at, value % 2 ** 32);
	const high = Math.floor(value / 2 ** 32);
	target[at + 4] = high & 0xff;
	target[at + 5] = high >>> 8;
	return at + 6;
}

function write32(target: Uint8Array, at: number, value: number): number {
	target[at] = value & 0xff;
	target[at + 1] = (value >>> 8) & 0xff;
	target[at + 2] = (value >>> 16) & 0xff;
	target[at + 3] = (value >>> 24) & 0xff;
	return at + 4;
}

function read48(source: Uint8Array, at: number): number {
	return (
		read32(source, at) +
		((source[at + 4] as number) | ((source[at + 5] as number) << 8)) * 2 ** 32
	);
}

function read32(source: Uint8Array, at: number): number {
	return (
		((source[at] as number) |
			((source[at + 1] as number) << 8) |
			((source[at + 2] as number) << 16) |
			((source[at + 3] as number) << 24)) >>>
		0
	);
}
