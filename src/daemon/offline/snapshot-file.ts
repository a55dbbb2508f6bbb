import { basename, resolve } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Disk, DiskFile } from "../../storage/disk.js";
import { SnapshotCheck } from "../../storage/snapshots/check.js";
import { manifestOf } from "../../storage/snapshots/description.js";
import { layoutOf } from "../../storage/snapshots/format.js";
import {
	checkName,
	readDescription,
	readHeader,
	readTrailer,
} from "../../storage/snapshots/inspect.js";
import { SnapshotProblem } from "../../storage/snapshots/problem.js";
import type { SnapshotManifest } from "../../storage/snapshots/snapshot-store.js";
import { readingDisk } from "../doctor/data-directory.js";

/** What is wrong with a file, and where in it. */
export interface FileProblem {
	/** In bytes. */
	readonly offset: number;
	/** A clause about the file: "its header is damaged". */
	readonly what: string;
}

/** A snapshot's file anywhere, open for reading and never changed. */
export class SnapshotOnDisk {
	/** Absolute. */
	readonly path: string;
	readonly #disk: Disk;

	constructor(path: string, disk: Disk = readingDisk) {
		this.path = resolve(path);
		this.#disk = disk;
	}

	/**
	 * What the file says of itself: header, description and trailer are checked, the content is not. Throws OperatorError
	 * "refused" when one of them is damaged, "usage" when there is no such file.
	 */
	manifest(): SnapshotManifest {
		return this.#reading((file) => {
			const fileBytes = file.size();
			const header = readHeader(file);
			const layout = layoutOf(header, fileBytes);
			const description = readDescription(file, header);
			checkName(basename(this.path), header, description);
			const trailer = readTrailer(file, header, layout);
			return manifestOf(header, description, trailer, fileBytes);
		});
	}

	/**
	 * The content in chunks, each checked before it is given, and all of them together at the end. A chunk is good until the
	 * next one is asked for. Throws as `manifest`.
	 */
	*content(manifest: SnapshotManifest): Generator<Uint8Array> {
		const file = this.#telling(() => this.#disk.open(this.path));
		try {
			const parts = partsOf(file, manifest);
			for (;;) {
				const { done, value } = this.#telling(() => parts.next());
				if (done === true) return;
				yield value;
			}
		} finally {
			file.close();
		}
	}

	#reading<Result>(work: (file: DiskFile) => Result): Result {
		return this.#telling(() => {
			const file = this.#disk.open(this.path);
			try {
				return work(file);
			} finally {
				file.close();
			}
		});
	}

	#telling<Result>(work: () => Result): Result {
		try {
			return work();
		} catch (cause) {
			throw explained(this.path, cause);
		}
	}
}

/** One buffer for all: fresh memory for each chunk takes longer than its checksum. */
function* partsOf(
	file: DiskFile,
	manifest: SnapshotManifest,
): Generator<Uint8Array, undefined> {
	const check = new SnapshotCheck(file.size(), manifest);
	let buffer = Buffer.alloc(0);
	for (let part = check.next; part !== null; part = check.next) {
		if (buffer.length < part.bytes) buffer = Buffer.allocUnsafeSlow(part.bytes);
		const bytes = buffer.subarray(0, part.bytes);
		const got = file.readAt(bytes, part.offset);
		if (got < part.bytes)
			throw new SnapshotProblem(part.offset + got, "it is cut short");
		const content = check.accept(bytes);
		if (content !== null) yield content;
	}
}

function explained(path: string, cause: unknown): unknown {
	if (cause instanceof SnapshotProblem)
		return damagedFile(path, [{ offset: cause.offset, what: cause.what }]);
	const { code } = (cause ?? {}) as NodeJS.ErrnoException;
	if (code === undefined) return cause;
	const isThere = code !== "ENOENT" && code !== "EISDIR";
	return new OperatorError(
		isThere ? "unexpected" : "usage",
		isThere
			? `${path} cannot be read: ${reasonOf(cause)}`
			: `there is no file ${path}`,
		{
			state: "nothing was changed",
			next: "give the file of a snapshot",
			cause,
		},
	);
}

/** The first fault is the sentence, all of them are the problems. */
export function damagedFile(
	path: string,
	problems: readonly FileProblem[],
): OperatorError {
	const [first] = problems;
	return new OperatorError(
		"refused",
		`${path} is no snapshot that can be used: ${first?.what}, at offset ${first?.offset}`,
		{
			problems:
				problems.length < 2
					? []
					: problems.map(({ offset, what }) => `offset ${offset}: ${what}`),
			state: "nothing was changed",
			next: "take another snapshot's file, or another copy of this one",
		},
	);
}
