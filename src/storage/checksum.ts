import { crc32 } from "node:zlib";

/** Up to here a loop is done before a call into zlib has begun. */
const shortBytes = 96;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
	let crc = byte;
	for (let bit = 0; bit < 8; bit += 1)
		crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
	return crc;
});

/** CRC-32 of the bytes `start` to `end`, from `seed` on, as zlib computes it. */
export function checksum(
	bytes: Buffer,
	start: number,
	end: number,
	seed: number,
): number {
	if (end - start > shortBytes) return crc32(bytes.subarray(start, end), seed);
	let crc = ~seed;
	for (let at = start; at < end; at += 1)
		crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number);
	return ~crc >>> 0;
}
