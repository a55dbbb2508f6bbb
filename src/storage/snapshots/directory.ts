import { randomBytes } from "node:crypto";
import { OperatorError } from "../../errors.js";
import { FileReader } from "./file-reader.js";
import { FileReceiver, type Incoming } from "./file-receiver.js";
import { FileWriter } from "./file-writer.js";
import { defaultChunkBytes, idBytes } from "./format.js";
import { Pins } from "./pins.js";
import {
	isId,
	isPartial,
	partialName,
	type SnapshotPlace,
	snapshotName,
} from "./place.js";
import { SnapshotProblem, unusableSnapshot } from "./problem.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "./snapshot-store.js";
import {
	isMissing,
	newestFirst,
	partialsUpTo,
	removeFiles,
	removeTemporary,
	takeStock,
} from "./stock.js";

export interface DirectoryOptions extends SnapshotPlace {
	/** Of content in each chunk of a new file: what is fetched again at most when a transfer breaks. */
	readonly chunkBytes?: number;
	/** 16 random bytes for a new file. */
	readonly newId?: () => Buffer;
}

/** That are read of a file at once. */
export const maxReadBytes = 16 * 1024 * 1024;

/** A snapshot's file, open for reading; it is not removed before `close`. */
export interface OpenSnapshot {
	readonly manifest: SnapshotManifest;
	readAt(offset: number, length: number): Uint8Array<ArrayBuffer>;
	close(): void;
}

/** A snapshot's content, chunk by chunk, each checked. */
export interface OpenContent {
	/** Null at the end. Throws an OperatorError, and the snapshot is listed no longer. */
	next(): Uint8Array<ArrayBuffer> | null;
	close(): void;
}

/**
 * The snapshots of one node, synchronously. A name ending in .snapshot is whole and durable, what was begun here ends in
 * .tmp, and what is being received in .part.
 */
export class SnapshotDirectory {
	readonly #place: SnapshotPlace;
	readonly #chunkBytes: number;
	readonly #newId: () => Buffer;
	#listed: readonly SnapshotManifest[] = [];
	/** Ids of those whose content was found damaged: no longer listed, not yet removed. */
	#damaged: SnapshotManifest[] = [];
	readonly #pins: Pins;
	#writer: FileWriter | null = null;
	#receiver: FileReceiver | null = null;

	private constructor(options: DirectoryOptions) {
		const { chunkBytes = defaultChunkBytes, newId } = options;
		this.#place = options;
		this.#pins = new Pins(options.nodeId);
		this.#chunkBytes = chunkBytes;
		this.#newId = newId ?? (() => randomBytes(idBytes));
	}

	/**
	 * Makes the directory when it is not there, and removes what was begun and not finished. `repaired` has a sentence for
	 * each file that was removed or cannot be used. Throws the disk's error.
	 */
	static open(options: DirectoryOptions): {
		readonly snapshots: SnapshotDirectory;
		readonly repaired: string[];
	} {
		const { disk, directory } = options;
		disk.makeDirectory(directory);
		const snapshots = new SnapshotDirectory(options);
		const removed = removeTemporary(options);
		const { found, problems } = takeStock(options);
		snapshots.#listed = found;
		// A name that a crash had kept from the disk so far: what is listed from now on is durable (P15).
		disk.syncDirectory(directory);
		return { snapshots, repaired: [...removed, ...problems] };
	}

	/** Newest first. */
	list(): readonly SnapshotManifest[] {
		return this.#listed;
	}

	/** One at a time. */
	create(description: SnapshotDescription): FileWriter {
		if (this.#writer?.ended === false)
			throw new Error("a snapshot is being written already");
		if (description.clusterId !== this.#place.clusterId)
			throw new Error(`invariant: a snapshot of ${description.clusterId}`);
		removeTemporary(this.#place);
		const id = this.#newId();
		this.#writer = new FileWriter({
			...{ place: this.#place, description, id },
			chunkBytes: this.#chunkBytes,
		});
		return this.#writer;
	}

	/** Ends `writer` and lists its snapshot. */
	finish(writer: FileWriter | FileReceiver): SnapshotManifest {
		const manifest = writer.finish();
		this.#listed = newestFirst([
			...this.#listed.filter(({ id }) => id !== manifest.id),
			manifest,
		]);
		this.#damaged = this.#damaged.filter(({ id }) => id !== manifest.id);
		return manifest;
	}

	/** The content of the newest snapshot at `index`. Throws an OperatorError when there is none. */
	content(index: number): OpenContent {
		const manifest = this.#at(index);
		if (manifest === null)
			throw new OperatorError(
				"unexpected",
				`there is no snapshot at ${index}`,
				{ node: this.#place.nodeId },
			);
		const path = this.#path(manifest);
		const { file, close } = this.#pin(manifest);
		let reader: FileReader | null = null;
		let failure: OperatorError | null = null;
		const next = () => {
			if (failure !== null) throw failure;
			try {
				reader ??= new FileReader(file, manifest);
				return reader.next();
			} catch (error) {
				const { nodeId } = this.#place;
				this.#strike(manifest);
				failure = unusableSnapshot(nodeId, path, reader?.offset ?? 0, error);
				throw failure;
			}
		};
		return { next, close };
	}

	/** The file of the newest snapshot at `index`; null when there is none. */
	open(index: number): OpenSnapshot | null {
		const manifest = this.#at(index);
		if (manifest === null) return null;
		const { file, close } = this.#pin(manifest);
		const readAt = (offset: number, length: number) => {
			if (!(offset >= 0 && length >= 0 && length <= maxReadBytes))
				throw new RangeError(`${length} bytes from ${offset} are no piece`);
			const target = new Uint8Array(
				Math.max(0, Math.min(length, manifest.fileBytes - offset)),
			);
			try {
				const got = file.readAt(target, offset);
				if (got < target.length)
					throw new SnapshotProblem(offset + got, "it is cut short");
				return target;
			} catch (error) {
				const { nodeId } = this.#place;
				throw unusableSnapshot(nodeId, this.#path(manifest), offset, error);
			}
		};
		return { manifest, readAt, close };
	}

	/** Only the newest one goes on; partial files of other ids are removed. Throws an OperatorError. */
	receive(incoming: Incoming): FileReceiver {
		const { disk, directory, nodeId } = this.#place;
		if (!isId(incoming.id))
			throw new OperatorError(
				"unexpected",
				"another node offered a snapshot whose id makes no sense",
				{ node: nodeId, state: "nothing of it was fetched" },
			);
		this.#receiver?.suspend();
		this.#receiver = null;
		const mine = partialName(incoming.id);
		const partial = disk.list(directory).filter(isPartial);
		removeFiles(
			this.#place,
			partial.filter((name) => name !== mine),
		);
		const keep = partial.includes(mine);
		this.#receiver = new FileReceiver(this.#place, incoming, keep);
		return this.#receiver;
	}

	/**
	 * Removes all but the newest `keep`, at least one, and those that are open; also damaged ones that are older than what
	 * is kept, and a partial file that has nothing newer to give. Throws an OperatorError.
	 */
	prune(keep: number): void {
		if (!(Number.isInteger(keep) && keep >= 1))
			throw new RangeError("one snapshot must remain");
		const kept = this.#listed.slice(0, keep);
		const oldest = kept.at(-1);
		if (oldest === undefined) return;
		const old = [
			...this.#listed.slice(keep),
			...this.#damaged.filter(({ index }) => index <= oldest.index),
		].filter(({ id }) => !this.#pins.has(id));
		// The oldest first: a crash in between leaves the newer ones.
		const names = newestFirst(old)
			.reverse()
			.map(({ index, id }) => snapshotName(index, id));
		const gone = new Set(old.map(({ id }) => id));
		this.#listed = this.#listed.filter(({ id }) => !gone.has(id));
		this.#damaged = this.#damaged.filter(({ id }) => !gone.has(id));
		removeFiles(this.#place, [...names, ...this.#uselessPartials()]);
	}

	#at(index: number): SnapshotManifest | null {
		return this.#listed.find((one) => one.index === index) ?? null;
	}

	#path({ index, id }: SnapshotManifest): string {
		return `${this.#place.directory}/${snapshotName(index, id)}`;
	}

	/** Opens the file; it is not removed before `close`. */
	#pin(manifest: SnapshotManifest) {
		const path = this.#path(manifest);
		try {
			return this.#pins.open(this.#place.disk, path, manifest.id);
		} catch (error) {
			if (error instanceof OperatorError) throw error;
			if (isMissing(error)) this.#strike(manifest);
			throw unusableSnapshot(this.#place.nodeId, path, 0, error);
		}
	}

	/** An older one, or another at the same index, is now the best there is. */
	#strike(manifest: SnapshotManifest): void {
		if (!this.#listed.some(({ id }) => id === manifest.id)) return;
		this.#listed = this.#listed.filter(({ id }) => id !== manifest.id);
		this.#damaged.push(manifest);
	}

	/** Partial files that nobody is receiving and that stand for nothing newer than the newest snapshot. */
	#uselessPartials(): string[] {
		const newest = this.#listed[0]?.index ?? 0;
		const active =
			this.#receiver?.ended === false ? partialName(this.#receiver.id) : null;
		return partialsUpTo(this.#place, newest).filter((name) => name !== active);
	}
}
