/**
 * A state's snapshot in bytes (docs/formats.md): a magic, then frames, each u8 section | u32 length | content. Sections
 * follow one another in the order of their codes, none is left out, each has as many frames as it takes, and an empty
 * frame of code 0 ends it all.
 */
export const magic = Buffer.from("raftd-state/1\n");

export const Section = {
	end: 0,
	/** Whose state this is. */
	head: 1,
	control: 2,
	sessions: 3,
	digests: 4,
	events: 5,
	/** The machine's own bytes; all other sections consist of records, each u32 length | content. */
	machine: 6,
} as const;
export type Section = (typeof Section)[keyof typeof Section];

export const frameHeaderBytes = 5;
export const chunkBytes = 256 * 1024;
export const recordHeaderBytes = 4;
const batchBytes = 64 * 1024;

export interface SectionBytes {
	readonly section: Section;
	readonly content: Iterable<Uint8Array>;
}

/** Cuts sections into chunks of at most 256 KiB. Each lies in memory of its own, to be given away. */
export function* chunksOf(
	sections: readonly SectionBytes[],
): Generator<Uint8Array> {
	let chunk = Buffer.allocUnsafeSlow(chunkBytes);
	let at = magic.copy(chunk);
	for (const { section, content } of sections) {
		for (const bytes of framed(content)) {
			let start = 0;
			do {
				if (chunkBytes - at <= frameHeaderBytes) {
					yield chunk.subarray(0, at);
					chunk = Buffer.allocUnsafeSlow(chunkBytes);
					at = 0;
				}
				const room = chunkBytes - at - frameHeaderBytes;
				const length = Math.min(room, bytes.length - start);
				at = chunk.writeUInt8(section, at);
				at = chunk.writeUInt32LE(length, at);
				chunk.set(bytes.subarray(start, start + length), at);
				at += length;
				start += length;
			} while (start < bytes.length);
		}
	}
	yield Buffer.concat([chunk.subarray(0, at), Buffer.alloc(frameHeaderBytes)]);
}

/** A section of no bytes has a frame, too. */
function* framed(content: Iterable<Uint8Array>): Generator<Uint8Array> {
	let isEmpty = true;
	for (const bytes of content) {
		isEmpty = false;
		yield bytes;
	}
	if (isEmpty) yield new Uint8Array(0);
}

/** Records one behind the other, in batches, as most are small. */
export function* inRecords(
	records: Iterable<Uint8Array>,
): Generator<Uint8Array> {
	let batch = Buffer.allocUnsafe(batchBytes);
	let at = 0;
	for (const record of records) {
		const bytes = recordHeaderBytes + record.length;
		if (bytes > batch.length - at) {
			if (at > 0) yield batch.subarray(0, at);
			batch = Buffer.allocUnsafe(Math.max(batchBytes, bytes));
			at = 0;
		}
		at = batch.writeUInt32LE(record.length, at);
		batch.set(record, at);
		at += record.length;
	}
	if (at > 0) yield batch.subarray(0, at);
}
