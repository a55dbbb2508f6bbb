import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { encodeDescription } from "./description.js";
import {
	chunkHeaderBytes,
	encodeHead,
	encodeTrailer,
	sealChunk,
} from "./format.js";
import { GrowingFile } from "./growing-file.js";
import { type SnapshotPlace, snapshotName, temporaryName } from "./place.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "./snapshot-store.js";

/** Writes one snapshot. After a throw its file is gone, and every further call throws the same. */
export class FileWriter {
	readonly #file: GrowingFile;
	readonly #description: SnapshotDescription;
	readonly #id: string;
	/** Of the whole file. */
	readonly #name: string;
	readonly #seed: number;
	/** One chunk, its header's place included: each byte is copied once and written with one call. */
	readonly #chunk: Buffer;
	readonly #hash = createHash("sha256");
	#filled = chunkHeaderBytes;
	#chunks = 0;
	#contentBytes = 0;
	#end: Error | null = null;

	constructor(options: {
		readonly place: SnapshotPlace;
		readonly description: SnapshotDescription;
		/** 16 random bytes. */
		readonly id: Buffer;
		readonly chunkBytes: number;
		/** For a file that leaves the store; else its names are the store's. */
		readonly names?: { readonly temporary: string; readonly whole: string };
	}) {
		const { place, description, id, chunkBytes } = options;
		const head = encodeHead(id, chunkBytes, encodeDescription(description));
		this.#description = description;
		this.#id = id.toString("hex");
		this.#seed = crc32(id);
		this.#chunk = Buffer.allocUnsafeSlow(chunkHeaderBytes + chunkBytes);
		const { temporary, whole } = options.names ?? {
			temporary: temporaryName(this.#id),
			whole: snapshotName(description.index, this.#id),
		};
		this.#name = whole;
		this.#file = new GrowingFile({ ...place, name: temporary, keep: false });
		this.#attempt(() => this.#file.append(head));
	}

	get ended(): boolean {
		return this.#end !== null;
	}

	write(bytes: Uint8Array): void {
		this.#attempt(() => {
			let at = 0;
			while (at < bytes.length) {
				const room = this.#chunk.length - this.#filled;
				const piece = bytes.subarray(at, at + room);
				this.#chunk.set(piece, this.#filled);
				this.#filled += piece.length;
				at += piece.length;
				if (this.#filled === this.#chunk.length) this.#flush();
			}
		});
	}

	finish(): SnapshotManifest {
		return this.#attempt(() => {
			if (this.#filled > chunkHeaderBytes) this.#flush();
			const sha256 = this.#hash.digest();
			const sizes = { contentBytes: this.#contentBytes, chunks: this.#chunks };
			this.#file.append(encodeTrailer({ ...sizes, sha256 }, this.#seed));
			this.#file.publish(this.#name);
			this.#end = new Error("the snapshot is finished");
			return {
				...this.#description,
				id: this.#id,
				contentBytes: this.#contentBytes,
				sha256: sha256.toString("hex"),
				fileBytes: this.#file.bytes,
			};
		});
	}

	/** Never throws; does nothing after the end. */
	abort(): void {
		if (this.#end !== null) return;
		this.#end = new Error("the snapshot was given up");
		this.#file.drop();
	}

	#flush(): void {
		const chunk = this.#chunk.subarray(0, this.#filled);
		sealChunk(chunk, this.#chunks, this.#seed);
		const content = chunk.subarray(chunkHeaderBytes);
		this.#hash.update(content);
		this.#file.append(chunk);
		this.#chunks += 1;
		this.#contentBytes += content.length;
		this.#filled = chunkHeaderBytes;
	}

	#attempt<T>(action: () => T): T {
		if (this.#end !== null) throw this.#end;
		try {
			return action();
		} catch (error) {
			this.#end = error instanceof Error ? error : new Error(String(error));
			this.#file.drop();
			throw error;
		}
	}
}
