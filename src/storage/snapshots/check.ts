import { createHash } from "node:crypto";
import {
	checkExpected,
	decodeDescription,
	type Expected,
	manifestOf,
} from "./description.js";
import {
	checkChunk,
	checkDescription,
	chunkPlace,
	decodeHeader,
	decodeTrailer,
	headerBytes,
	layoutOf,
	minFileBytes,
	type SnapshotHeader,
	type SnapshotLayout,
	trailerBytes,
} from "./format.js";
import { SnapshotProblem } from "./problem.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "./snapshot-store.js";

/** A piece of the file that is whole or damaged: header, description, a chunk or the trailer. */
export interface Part {
	readonly kind: "header" | "description" | "chunk" | "trailer";
	readonly offset: number;
	readonly bytes: number;
}

/**
 * Checks a snapshot's file part by part, from its first byte to its last, wherever the bytes come from: a disk or
 * another node. Each part's length is known, and bounded, before its bytes are asked for (P18). A throw changes nothing:
 * better bytes may be handed in for the same part, unless it is spoilt.
 */
export class SnapshotCheck {
	readonly #fileBytes: number;
	readonly #expected: Expected;
	readonly #hash = createHash("sha256");
	#next: Part | null = { kind: "header", offset: 0, bytes: headerBytes };
	#header: SnapshotHeader | null = null;
	#description: SnapshotDescription | null = null;
	#layout: SnapshotLayout | null = null;
	#chunk = 0;
	#manifest: SnapshotManifest | null = null;
	#spoilt = false;

	/** Throws a SnapshotProblem, as do all calls, with the offset in the file. */
	constructor(fileBytes: number, expected: Expected) {
		if (!Number.isSafeInteger(fileBytes) || fileBytes < minFileBytes)
			throw new SnapshotProblem(0, `no snapshot has ${fileBytes} bytes`);
		this.#fileBytes = fileBytes;
		this.#expected = expected;
	}

	/** The part to hand in now; null when the whole file was found good. */
	get next(): Part | null {
		return this.#next;
	}

	/** Everything before it was found good. */
	get offset(): number {
		return this.#next?.offset ?? this.#fileBytes;
	}

	/** Null until the last part was found good. */
	get manifest(): SnapshotManifest | null {
		return this.#manifest;
	}

	/** The parts were good one by one and are wrong together: the SHA-256 is another. */
	get spoilt(): boolean {
		return this.#spoilt;
	}

	/** Takes all bytes of the next part; the content if that is a chunk, else null. */
	accept(bytes: Buffer): Buffer | null {
		const part = this.#next;
		if (part === null || bytes.length !== part.bytes)
			throw new Error(`invariant: ${bytes.length} bytes of a part`);
		if (part.kind === "header") return this.#takeHeader(bytes);
		if (part.kind === "description") return this.#takeDescription(bytes);
		if (part.kind === "trailer") return this.#takeTrailer(bytes);
		const { seed } = this.#header as SnapshotHeader;
		const content = checkChunk(bytes, this.#chunk, seed, part.offset);
		this.#hash.update(content);
		this.#chunk += 1;
		this.#goOn();
		return content;
	}

	#takeHeader(bytes: Buffer): null {
		const header = decodeHeader(bytes);
		const { id = header.id.toString("hex") } = this.#expected;
		if (header.id.toString("hex") !== id)
			throw new SnapshotProblem(16, "it has another id than it should");
		this.#layout = layoutOf(header, this.#fileBytes);
		this.#header = header;
		this.#next = {
			kind: "description",
			offset: headerBytes,
			bytes: header.descriptionBytes + 4,
		};
		return null;
	}

	#takeDescription(bytes: Buffer): null {
		const header = this.#header as SnapshotHeader;
		const description = decodeDescription(checkDescription(header, bytes));
		checkExpected(description, this.#expected);
		this.#description = description;
		this.#goOn();
		return null;
	}

	#takeTrailer(bytes: Buffer): null {
		const header = this.#header as SnapshotHeader;
		const layout = this.#layout as SnapshotLayout;
		const trailer = decodeTrailer(bytes, header.seed, layout);
		this.#spoilt = !this.#hash.digest().equals(trailer.sha256);
		if (this.#spoilt)
			throw new SnapshotProblem(
				layout.trailerStart,
				"its content has another SHA-256",
			);
		this.#manifest = manifestOf(
			header,
			this.#description as SnapshotDescription,
			trailer,
			this.#fileBytes,
		);
		this.#next = null;
		return null;
	}

	/** What follows a description or a chunk. */
	#goOn(): void {
		const layout = this.#layout as SnapshotLayout;
		this.#next =
			this.#chunk < layout.chunks
				? {
						kind: "chunk",
						...chunkPlace(this.#header as SnapshotHeader, layout, this.#chunk),
					}
				: { kind: "trailer", offset: layout.trailerStart, bytes: trailerBytes };
	}
}
