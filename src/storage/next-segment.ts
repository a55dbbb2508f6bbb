import { OperatorError } from "../errors.js";
import type { Disk, DiskFile } from "./disk.js";

const temporaryName = "next.tmp";

/**
 * The file of the segment to come, zero-filled and synced in slices ahead of need, so that a cut costs a header and not
 * 64 MiB. Writing into filled blocks also spares every fdatasync the file system's journal; where records are so large
 * that this is little beside them, the file is left without blocks, and the disk its time (`Filling`).
 */
export class NextSegment {
	readonly #disk: Disk;
	readonly #path: string;
	readonly #size: number;
	#file: DiskFile | null = null;
	#filled = 0;
	#noRoom = false;

	constructor(disk: Disk, directory: string, size: number) {
		this.#disk = disk;
		this.#path = `${directory}/${temporaryName}`;
		this.#size = size;
	}

	/** Of the file so far. */
	get filledBytes(): number {
		return this.#filled;
	}

	/** Room was freed. */
	tryAgain(): void {
		this.#noRoom = false;
	}

	/**
	 * Fills up to `bytes` more; true while there is more to do. A disk without room is no error yet: the segment in use
	 * has its room, and `take` tries again.
	 */
	prepare(bytes: number): boolean {
		if (this.#noRoom || this.#filled === this.#size) return false;
		try {
			this.#fill(Math.min(bytes, this.#size - this.#filled));
		} catch (error) {
			if (!isFull(error)) throw error;
			this.discard();
			this.#noRoom = true;
		}
		return !this.#noRoom && this.#filled < this.#size;
	}

	/**
	 * A file of at least `bytes` that reads as zeros, synced; finishes what is not prepared, where it is to be filled. The
	 * next one begins anew.
	 */
	take(bytes: number, fills: boolean): { file: DiskFile; size: number } {
		if (bytes > this.#size) return this.#takeLarger(bytes, fills);
		try {
			if (!fills) this.#extend();
			while (this.#filled < this.#size)
				this.#fill(Math.min(sliceBytes, this.#size - this.#filled));
		} catch (error) {
			this.discard();
			throw error;
		}
		const file = this.#file as DiskFile;
		this.#file = null;
		this.#filled = 0;
		this.#noRoom = false;
		return { file, size: this.#size };
	}

	/** Gives the room back. */
	discard(): void {
		this.#filled = 0;
		if (this.#file === null) return;
		this.#file.close();
		this.#file = null;
		this.#disk.remove(this.#path);
	}

	#takeLarger(bytes: number, fills: boolean): { file: DiskFile; size: number } {
		this.discard();
		const directory = this.#path.slice(0, -temporaryName.length - 1);
		return new NextSegment(this.#disk, directory, bytes).take(bytes, fills);
	}

	/** To its whole size, without writing. */
	#extend(): void {
		this.#file ??= this.#disk.create(this.#path);
		this.#file.truncate(this.#size);
		this.#file.sync();
		this.#filled = this.#size;
	}

	#fill(bytes: number): void {
		this.#file ??= this.#disk.create(this.#path);
		for (let left = bytes; left > 0; left -= sliceBytes) {
			const slice = zeros.subarray(0, Math.min(left, sliceBytes));
			this.#file.writeAt(slice, this.#filled);
			this.#filled += slice.length;
		}
		this.#file.sync();
	}
}

/** One write of zeros, and one sync: small enough not to be felt by a batch that waits behind it. */
export const sliceBytes = 1024 * 1024;

const zeros = Buffer.alloc(sliceBytes);

/** Whether a failed call means that the disk, or the quota, is used up. */
export function isFull(error: unknown): boolean {
	const { code } = error as NodeJS.ErrnoException;
	return code === "ENOSPC" || code === "EDQUOT";
}

/** There is no room for a segment that is needed now. */
export function fullDisk(
	{
		directory,
		nodeId,
	}: { readonly directory: string; readonly nodeId: string },
	bytes: number,
	cause: unknown,
): OperatorError {
	return new OperatorError(
		"unexpected",
		`the disk is full: no room for another segment of the log in ${directory} (it needs at least ${bytes} bytes)`,
		{
			node: nodeId,
			state: "everything that was acknowledged is on the disk",
			next: "free some space, then start the node again",
			cause,
		},
	);
}
