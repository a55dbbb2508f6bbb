import type { Random } from "../sim/random.js";

/** Numbers at which lengths, counts and indexes turn into something else. */
const edges = [
	0n,
	1n,
	0x7fn,
	0x80n,
	0xffn,
	0xffffn,
	0x1_0000n,
	0x7fff_ffffn,
	0x8000_0000n,
	0xffff_ffffn,
	2n ** 48n - 1n,
	2n ** 53n - 1n,
	2n ** 53n,
	2n ** 63n,
	2n ** 64n - 1n,
];

type Mutation = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const mutations: readonly Mutation[] = [
	flip,
	setByte,
	setNumber,
	nudgeNumber,
	cut,
	dropRange,
	repeatRange,
	insertGarbage,
	splice,
	append,
];

/** `bytes` changed in one to four ways; `other` is what parts may be taken from. The given bytes stay as they are. */
export function mutated(
	bytes: Uint8Array,
	random: Random,
	other: Uint8Array = bytes,
): Buffer {
	let result: Buffer = Buffer.from(bytes);
	for (let left = random.whole(1, 4); left > 0; left -= 1)
		result = random.pick(mutations)(result, random, Buffer.from(other));
	return result;
}

export function garbage(random: Random, length: number): Buffer {
	const bytes = Buffer.alloc(length);
	for (let at = 0; at < length; at += 1) bytes[at] = random.below(256);
	return bytes;
}

/** The bytes in pieces of any size, empty ones among them. */
export function chunked(bytes: Buffer, random: Random): Buffer[] {
	const largest = random.pick([1, 3, 17, 1000, bytes.length + 1]);
	const chunks: Buffer[] = [];
	for (let at = 0; at < bytes.length; ) {
		const length = random.whole(random.chance(0.1) ? 0 : 1, largest);
		chunks.push(bytes.subarray(at, at + length));
		at += length;
	}
	return chunks;
}

function flip(bytes: Buffer, random: Random): Buffer {
	if (bytes.length === 0) return bytes;
	const at = random.below(bytes.length);
	bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
	return bytes;
}

function setByte(bytes: Buffer, random: Random): Buffer {
	if (bytes.length > 0)
		bytes[random.below(bytes.length)] = random.chance(0.5)
			? random.below(256)
			: random.below(40);
	return bytes;
}

/** A number of any width, at the edge of something. */
function setNumber(bytes: Buffer, random: Random): Buffer {
	const encoded = Buffer.alloc(8);
	encoded.writeBigUInt64LE(random.pick(edges));
	const width = random.pick([1, 2, 4, 6, 8]);
	encoded.copy(bytes, random.below(bytes.length + 1), 0, width);
	return bytes;
}

function nudgeNumber(bytes: Buffer, random: Random): Buffer {
	if (bytes.length === 0) return bytes;
	const at = random.below(bytes.length);
	bytes[at] = (bytes[at] as number) + random.pick([-1, 1, 2, 255]);
	return bytes;
}

function cut(bytes: Buffer, random: Random): Buffer {
	return bytes.subarray(0, random.below(bytes.length + 1));
}

function dropRange(bytes: Buffer, random: Random): Buffer {
	const [from, to] = range(bytes, random);
	return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
}

function repeatRange(bytes: Buffer, random: Random): Buffer {
	const [from, to] = range(bytes, random);
	const times = random.whole(1, 3);
	const again = Array.from({ length: times }, () => bytes.subarray(from, to));
	return Buffer.concat([
		bytes.subarray(0, to),
		...again,
		bytes.subarray(to),
	]).subarray(0, 64 * 1024);
}

function insertGarbage(bytes: Buffer, random: Random): Buffer {
	const at = random.below(bytes.length + 1);
	return Buffer.concat([
		bytes.subarray(0, at),
		garbage(random, random.whole(1, 16)),
		bytes.subarray(at),
	]);
}

function splice(bytes: Buffer, random: Random, other: Buffer): Buffer {
	return Buffer.concat([
		bytes.subarray(0, random.below(bytes.length + 1)),
		other.subarray(random.below(other.length + 1)),
	]);
}

function append(bytes: Buffer, _random: Random, other: Buffer): Buffer {
	return Buffer.concat([bytes, other]).subarray(0, 64 * 1024);
}

function range(bytes: Buffer, random: Random): [number, number] {
	const from = random.below(bytes.length + 1);
	return [from, random.whole(from, Math.min(bytes.length, from + 64))];
}
