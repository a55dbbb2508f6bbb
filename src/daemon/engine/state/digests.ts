import { createHash } from "node:crypto";
import { ByteReader, ByteWriter } from "../../../machines/byte-cursor.js";
import { Fingerprint } from "../../../machines/fingerprint.js";

/** Of the whole state right after the entry at `index`. */
export interface StateDigest {
	readonly index: number;
	/** Hexadecimal. */
	readonly digest: string;
}

/** This node's state was not that of another at the same index: one of the two is wrong (P60). */
export interface Disagreement {
	readonly index: number;
	readonly own: string;
	readonly other: string;
}

/** Constants of the format: nodes compare what they computed at the same indexes. */
export const digestInterval = 1024;
const keptDigests = 64;
const digestBytes = 16;
const recordBytes = 6 + digestBytes;

/** Digests of the state at fixed indexes, and what has been executed and told since the newest of them. */
export class StateDigests {
	#kept: StateDigest[] = [];
	readonly #since = new Fingerprint();

	get newest(): StateDigest | null {
		return this.#kept.at(-1) ?? null;
	}

	executed(result: Uint8Array): void {
		this.#since.bytes(result);
	}

	told(event: Uint8Array): void {
		this.#since.bytes(event);
	}

	/** `parts` is what the state consists of, each part in bytes that are equal for equal states. */
	take(index: number, parts: readonly Uint8Array[]): void {
		const hash = createHash("sha256");
		for (const part of parts)
			hash.update(new ByteWriter(4).u32(part.length).bytes).update(part);
		hash.update(this.#since.encoded());
		const digest = hash.digest().toString("hex", 0, digestBytes);
		this.#kept.push({ index, digest });
		if (this.#kept.length > keptDigests) this.#kept.shift();
		// Each goes on from the one before: what differs once differs from then on, and no comparison can come too late.
		const chained = Buffer.from(digest, "hex");
		this.#since.begin(chained.readInt32LE(0), chained.readInt32LE(4));
	}

	/** Null when they are equal, or this node does not have its own any more. */
	compare(index: number, other: string): Disagreement | null {
		const own = this.#kept.find((each) => each.index === index)?.digest;
		return own === undefined || own === other ? null : { index, own, other };
	}

	/** In bytes: what was executed since, then u48 index | 16 bytes for each digest. */
	encode(): Uint8Array {
		const writer = new ByteWriter(8 + this.#kept.length * recordBytes);
		writer.raw(this.#since.encoded());
		for (const { index, digest } of this.#kept)
			writer.u48(index).raw(Buffer.from(digest, "hex"));
		return writer.bytes;
	}

	static decode(bytes: Uint8Array): StateDigests {
		const digests = new StateDigests();
		const reader = new ByteReader(bytes);
		const low = reader.u32("a fingerprint") | 0;
		digests.#since.begin(low, reader.u32("a fingerprint") | 0);
		const kept = reader.rest();
		if (kept.length % recordBytes !== 0)
			throw new Error("the digests are cut short");
		for (let at = 0; at < kept.length; at += recordBytes)
			digests.#kept.push({
				index: kept.readUIntLE(at, 6),
				digest: kept.toString("hex", at + 6, at + recordBytes),
			});
		return digests;
	}
}
