import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Disk, DiskFile } from "../disk.js";
import { manifestOf } from "./description.js";
import {
	checkChunk,
	chunkPlace,
	layoutOf,
	type SnapshotHeader,
	type SnapshotLayout,
	type SnapshotTrailer,
} from "./format.js";
import {
	checkName,
	readDescription,
	readHeader,
	readPart,
	readTrailer,
} from "./inspect.js";
import { SnapshotProblem, unreadable } from "./problem.js";
import type { SnapshotManifest } from "./snapshot-store.js";

export interface SnapshotVerdict {
	/** Null when header, description or trailer is damaged. */
	readonly manifest: SnapshotManifest | null;
	readonly ok: boolean;
	/** In the order of their offsets in the file; at most `maxProblems`. */
	readonly problems: readonly {
		readonly offset: number;
		readonly what: string;
	}[];
}

/** Of a file that is rotten all over, so many tell enough. */
export const maxProblems = 100;

/**
 * Reads the whole file and says all that is wrong with it, whichever cluster it is of. Never throws: a file that is not
 * there, or a disk that fails, is a problem like any other. Synchronous; it takes about as long as reading the file.
 */
export function verifySnapshotFile(path: string, disk: Disk): SnapshotVerdict {
	const verification = new Verification(basename(path));
	verification.attempt(0, () => {
		const file = disk.open(path);
		try {
			verification.run(file);
		} finally {
			file.close();
		}
	});
	return verification.verdict();
}

class Verification {
	readonly #name: string;
	readonly #problems: { offset: number; what: string }[] = [];
	#manifest: SnapshotManifest | null = null;

	constructor(name: string) {
		this.#name = name;
	}

	verdict(): SnapshotVerdict {
		const problems = this.#problems
			.sort((a, b) => a.offset - b.offset)
			.slice(0, maxProblems);
		return { manifest: this.#manifest, ok: problems.length === 0, problems };
	}

	run(file: DiskFile): void {
		const fileBytes = file.size();
		const header = readHeader(file);
		// In a file of such a size nothing can be told apart.
		const layout = layoutOf(header, fileBytes);
		const description = this.attempt(header.contentStart, () => {
			const description = readDescription(file, header);
			checkName(this.#name, header, description);
			return description;
		});
		const trailer = this.attempt(layout.trailerStart, () =>
			readTrailer(file, header, layout),
		);
		this.#checkContent(file, header, layout, trailer);
		if (description !== null && trailer !== null)
			this.#manifest = manifestOf(header, description, trailer, fileBytes);
	}

	/** Null when there was a problem, which is noted; at `offset` unless it says where. */
	attempt<T>(offset: number, action: () => T): T | null {
		try {
			return action();
		} catch (error) {
			this.#problems.push(
				error instanceof SnapshotProblem
					? { offset: error.offset, what: error.what }
					: { offset, what: unreadable(error) },
			);
			return null;
		}
	}

	#checkContent(
		file: DiskFile,
		header: SnapshotHeader,
		layout: SnapshotLayout,
		trailer: SnapshotTrailer | null,
	): void {
		const hash = createHash("sha256");
		let allGood = true;
		for (let number = 0; number < layout.chunks; number += 1) {
			if (this.#problems.length >= maxProblems) return;
			const { offset, bytes } = chunkPlace(header, layout, number);
			const content = this.attempt(offset, () =>
				checkChunk(readPart(file, offset, bytes), number, header.seed, offset),
			);
			if (content === null) allGood = false;
			else hash.update(content);
		}
		if (trailer === null || !allGood || hash.digest().equals(trailer.sha256))
			return;
		const what = "its content has another SHA-256";
		this.#problems.push({ offset: layout.trailerStart, what });
	}
}
