import type { OperatorError } from "../../errors.js";
import { SnapshotCheck } from "./check.js";
import { GrowingFile, receivedSyncEveryBytes } from "./growing-file.js";
import { readPart } from "./inspect.js";
import { partialName, type SnapshotPlace, snapshotName } from "./place.js";
import { refusedSnapshot, SnapshotProblem } from "./problem.js";
import type { SnapshotManifest } from "./snapshot-store.js";

export interface Incoming {
	readonly id: string;
	readonly index: number;
	readonly fileBytes: number;
}

/**
 * Takes another node's file. A part is written only when all of it is here and was found good, so that the partial file
 * never holds anything else, save what a crash tore; `resume` looks for that.
 */
export class FileReceiver {
	readonly #place: SnapshotPlace;
	readonly #incoming: Incoming;
	readonly #file: GrowingFile;
	#check: SnapshotCheck;
	/** The beginning of a part whose end is not here yet. */
	#pending = Buffer.alloc(0);
	#pendingBytes = 0;
	#end: Error | null = null;

	/** `keep`: a partial file of this id is there. The caller has checked that the id is one. */
	constructor(place: SnapshotPlace, incoming: Incoming, keep: boolean) {
		this.#place = place;
		this.#incoming = incoming;
		try {
			this.#check = this.#newCheck();
		} catch (error) {
			throw this.#refusal(error as SnapshotProblem, false);
		}
		const name = partialName(incoming.id);
		this.#file = new GrowingFile({
			...{ ...place, name, keep },
			syncEveryBytes: receivedSyncEveryBytes,
		});
		if (keep) this.#resume();
		else this.#file.syncName();
	}

	get id(): string {
		return this.#incoming.id;
	}

	/** Everything before it is in the file and was checked. */
	get offset(): number {
		return this.#check.offset;
	}

	get ended(): boolean {
		return this.#end !== null;
	}

	/** Throws an OperatorError at the first part that is damaged or not what was announced. */
	write(bytes: Uint8Array): void {
		if (this.#end !== null) throw this.#end;
		const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
		this.#attempt(() => {
			let at = 0;
			while (at < piece.length) at += this.#take(piece.subarray(at));
		});
	}

	finish(): SnapshotManifest {
		if (this.#end !== null) throw this.#end;
		const { manifest } = this.#check;
		if (manifest === null) {
			const problem = new SnapshotProblem(this.offset, "its end is missing");
			throw this.#fail(problem, false);
		}
		const { index, id } = this.#incoming;
		this.#attempt(() => this.#file.publish(snapshotName(index, id)));
		this.#end = new Error("the snapshot is finished");
		return manifest;
	}

	/** Keeps the file for a later attempt. Never throws; does nothing after the end. */
	suspend(): void {
		this.#close(new Error("receiving the snapshot was suspended"));
	}

	/** Removes the file. Never throws; does nothing after the end. */
	drop(why: Error): void {
		if (this.#end !== null) return;
		this.#end = why;
		this.#file.drop();
	}

	/** Checks what an earlier attempt left, and cuts the file behind its last good part. */
	#resume(): void {
		try {
			for (;;) {
				const part = this.#check.next;
				if (part === null || part.offset + part.bytes > this.#file.bytes) break;
				this.#check.accept(readPart(this.#file, part.offset, part.bytes));
			}
		} catch {
			// Torn or rotten, or unreadable: what can be fetched again need not be understood.
			if (this.#check.spoilt) this.#check = this.#newCheck();
		}
		if (this.#file.bytes > this.offset) this.#file.truncate(this.offset);
	}

	/** How many of the bytes were taken. */
	#take(bytes: Buffer): number {
		const part = this.#check.next;
		if (part === null)
			throw new SnapshotProblem(this.offset, "it is longer than announced");
		// A whole part need not be put together.
		if (this.#pendingBytes === 0 && bytes.length >= part.bytes) {
			this.#accept(bytes.subarray(0, part.bytes));
			return part.bytes;
		}
		if (this.#pending.length < part.bytes)
			this.#pending = Buffer.allocUnsafeSlow(part.bytes);
		const missing = part.bytes - this.#pendingBytes;
		const piece = bytes.subarray(0, missing);
		this.#pending.set(piece, this.#pendingBytes);
		this.#pendingBytes += piece.length;
		if (this.#pendingBytes === part.bytes) {
			this.#pendingBytes = 0;
			this.#accept(this.#pending.subarray(0, part.bytes));
		}
		return piece.length;
	}

	#accept(part: Buffer): void {
		const { offset } = this;
		this.#check.accept(part);
		this.#file.append(part, this.#incoming.fileBytes - offset);
	}

	#attempt(action: () => void): void {
		try {
			action();
		} catch (error) {
			if (!(error instanceof SnapshotProblem)) {
				this.#end = error instanceof Error ? error : new Error(String(error));
				this.#file.drop();
				throw error;
			}
			const { next, spoilt } = this.#check;
			const inContent = next?.kind === "chunk" || next?.kind === "trailer";
			throw this.#fail(error, inContent && !spoilt);
		}
	}

	#fail(problem: SnapshotProblem, keep: boolean): OperatorError {
		const error = this.#refusal(problem, keep);
		if (keep) this.#close(error);
		else this.drop(error);
		return error;
	}

	#close(why: Error): void {
		if (this.#end !== null) return;
		this.#end = why;
		this.#pending = Buffer.alloc(0);
		this.#file.close();
	}

	#newCheck(): SnapshotCheck {
		const { id, index, fileBytes } = this.#incoming;
		const { clusterId } = this.#place;
		return new SnapshotCheck(fileBytes, { id, index, clusterId });
	}

	#refusal(problem: SnapshotProblem, kept: boolean): OperatorError {
		return refusedSnapshot(this.#place.nodeId, this.id, problem, kept);
	}
}
