/**
 * A value as the state keeps it: a copy that holds no part of a network buffer. A small one is a byte string (one
 * character, below 256, for each byte), because memory of its own costs ten times as much to make as the rest of a
 * command; a large one lies outside the heap, whose size has a limit.
 */
export type StoredBytes = string | Uint8Array;

const largestString = 512;

/** The bytes from `start` to `end`. */
export function store(bytes: Buffer, start: number, end: number): StoredBytes {
	if (end - start <= largestString) return bytes.toString("latin1", start, end);
	const copy = Buffer.allocUnsafeSlow(end - start);
	bytes.copy(copy, 0, start, end);
	return copy;
}

export function load(stored: StoredBytes): Uint8Array {
	return typeof stored === "string" ? Buffer.from(stored, "latin1") : stored;
}
