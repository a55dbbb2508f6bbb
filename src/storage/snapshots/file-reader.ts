import type { DiskFile } from "../disk.js";
import { SnapshotCheck } from "./check.js";
import { readPart } from "./inspect.js";
import type { SnapshotManifest } from "./snapshot-store.js";

/** Reads a snapshot's content chunk by chunk; what it gave out is right, and the end comes only if all of it was. */
export class FileReader {
	readonly #file: DiskFile;
	readonly #check: SnapshotCheck;

	/** Throws a SnapshotProblem or the disk's error, as does `next`. */
	constructor(file: DiskFile, manifest: SnapshotManifest) {
		this.#file = file;
		this.#check = new SnapshotCheck(file.size(), manifest);
	}

	/** Where it is in the file. */
	get offset(): number {
		return this.#check.offset;
	}

	/** The next chunk's content, in a buffer of its own; null at the end. */
	next(): Uint8Array<ArrayBuffer> | null {
		for (;;) {
			const part = this.#check.next;
			if (part === null) return null;
			const bytes = readPart(this.#file, part.offset, part.bytes);
			const content = this.#check.accept(bytes);
			if (content !== null) return plain(content);
		}
	}
}

/** The same bytes without Buffer's ways. */
export function plain(bytes: Buffer): Uint8Array<ArrayBuffer> {
	return new Uint8Array(
		bytes.buffer as ArrayBuffer,
		bytes.byteOffset,
		bytes.length,
	);
}
