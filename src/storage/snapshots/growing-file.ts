import type { Disk, DiskFile } from "../disk.js";
import { failedSnapshot } from "./problem.js";

/** After so many bytes they are synced: the log, on the same disk, waits behind no more than these. */
export const syncEveryBytes = 2 * 1024 * 1024;
/** The log of a node that fetches a snapshot has nothing to write that anybody waits for. */
export const receivedSyncEveryBytes = 4 * syncEveryBytes;

/**
 * A file under a temporary name that grows at its end and gets its own name when it is whole. A failure of the disk is
 * an OperatorError; the file is removed then and nothing is tried again (P11).
 */
export class GrowingFile {
	readonly path: string;
	readonly #disk: Disk;
	readonly #directory: string;
	readonly #nodeId: string;
	readonly #file: DiskFile;
	readonly #syncEveryBytes: number;
	#bytes: number;
	#unsyncedBytes = 0;
	#open = true;

	/** `keep` opens what is there instead of beginning a new file. */
	constructor(options: {
		readonly disk: Disk;
		readonly directory: string;
		readonly nodeId: string;
		/** The temporary name. */
		readonly name: string;
		readonly keep: boolean;
		readonly syncEveryBytes?: number;
	}) {
		const { disk, directory, nodeId, name, keep } = options;
		this.path = `${directory}/${name}`;
		this.#disk = disk;
		this.#directory = directory;
		this.#nodeId = nodeId;
		this.#syncEveryBytes = options.syncEveryBytes ?? syncEveryBytes;
		try {
			this.#file = keep ? disk.open(this.path) : disk.create(this.path);
		} catch (error) {
			throw failedSnapshot(nodeId, this.path, 0, error);
		}
		this.#bytes = keep ? this.#file.size() : 0;
	}

	get bytes(): number {
		return this.#bytes;
	}

	/** Fills as much of `target` as there is from `offset` on. */
	readAt(target: Uint8Array, offset: number): number {
		return this.#file.readAt(target, offset);
	}

	/** `missingBytes`: how many the file still needs, these included; for the message when the disk is full. */
	append(bytes: Uint8Array, missingBytes = bytes.length): void {
		this.#attempt(missingBytes, () => {
			this.#file.writeAt(bytes, this.#bytes);
			this.#bytes += bytes.length;
			this.#unsyncedBytes += bytes.length;
			if (this.#unsyncedBytes >= this.#syncEveryBytes) this.#sync();
		});
	}

	/** Cuts off what lies behind `bytes`. */
	truncate(bytes: number): void {
		this.#attempt(0, () => {
			this.#file.truncate(bytes);
			this.#bytes = bytes;
		});
	}

	/** Makes the temporary name durable, for a file that shall survive a crash half-made. */
	syncName(): void {
		this.#attempt(0, () => this.#disk.syncDirectory(this.#directory));
	}

	/** File and name are durable on return, in this order: whoever sees the name finds the whole file (P15, P17). */
	publish(name: string): void {
		const path = `${this.#directory}/${name}`;
		this.#attempt(this.#unsyncedBytes, () => {
			this.#sync();
			this.#disk.rename(this.path, path);
			try {
				this.#disk.syncDirectory(this.#directory);
			} catch (error) {
				// Whole, but perhaps gone after a power cut: nobody may count on it.
				quietly(() => this.#disk.remove(path));
				throw error;
			}
		});
		this.close();
	}

	/** Removes the file. Never throws: a name that is left behind is dropped by the next open. */
	drop(): void {
		if (!this.#open) return;
		this.close();
		quietly(() => {
			this.#disk.remove(this.path);
			this.#disk.syncDirectory(this.#directory);
		});
	}

	close(): void {
		if (!this.#open) return;
		this.#open = false;
		quietly(() => this.#file.close());
	}

	#sync(): void {
		this.#file.sync();
		this.#unsyncedBytes = 0;
	}

	#attempt(missingBytes: number, action: () => void): void {
		try {
			action();
		} catch (error) {
			this.drop();
			throw failedSnapshot(this.#nodeId, this.path, missingBytes, error);
		}
	}
}

/** For what is done on the way out of a failure, which must not hide that failure. */
function quietly(action: () => void): void {
	try {
		action();
	} catch {}
}
