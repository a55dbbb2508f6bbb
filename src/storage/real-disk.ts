import {
	closeSync,
	fdatasyncSync,
	fstatSync,
	fsyncSync,
	ftruncateSync,
	mkdirSync,
	openSync,
	readdirSync,
	readSync,
	renameSync,
	unlinkSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Disk, DiskFile } from "./disk.js";

/** The machine's own disk. Files are 0600, directories 0700. Errors are Node's, with their `code`. */
export const realDisk: Disk = {
	list(directory) {
		try {
			return readdirSync(directory);
		} catch (error) {
			if (isMissing(error)) return [];
			throw error;
		}
	},
	makeDirectory(directory) {
		mkdirSync(directory, { recursive: true, mode: 0o700 });
		// The new directory's own name lives in its parent (P15).
		syncDirectory(join(directory, ".."));
	},
	create: (path) => new RealFile(path, openSync(path, "wx+", 0o600)),
	open: (path) => new RealFile(path, openSync(path, "r+")),
	openReadOnly: (path) => new RealFile(path, openForReading(path)),
	rename: renameSync,
	remove: unlinkSync,
	syncDirectory,
};

class RealFile implements DiskFile {
	readonly path: string;
	readonly #descriptor: number;

	constructor(path: string, descriptor: number) {
		this.path = path;
		this.#descriptor = descriptor;
	}

	size(): number {
		return fstatSync(this.#descriptor).size;
	}

	writeAt(bytes: Uint8Array, offset: number): void {
		let done = 0;
		// write(2) may stop early, on a signal or when the disk runs full.
		while (done < bytes.length) {
			done += writeSync(
				this.#descriptor,
				bytes,
				done,
				bytes.length - done,
				offset + done,
			);
		}
	}

	readAt(target: Uint8Array, offset: number): number {
		let done = 0;
		while (done < target.length) {
			const got = readSync(
				this.#descriptor,
				target,
				done,
				target.length - done,
				offset + done,
			);
			if (got === 0) break;
			done += got;
		}
		return done;
	}

	truncate(size: number): void {
		ftruncateSync(this.#descriptor, size);
	}

	sync(): void {
		fdatasyncSync(this.#descriptor);
	}

	close(): void {
		closeSync(this.#descriptor);
	}
}

/** A directory can be opened, too, and would fail at the first read, with an error that names no path. */
function openForReading(path: string): number {
	const descriptor = openSync(path, "r");
	if (!fstatSync(descriptor).isDirectory()) return descriptor;
	closeSync(descriptor);
	const error: NodeJS.ErrnoException = new Error(
		`EISDIR: illegal operation on a directory, open '${path}'`,
	);
	throw Object.assign(error, { code: "EISDIR", syscall: "open", path });
}

function syncDirectory(directory: string): void {
	const descriptor = openSync(directory, "r");
	try {
		fsyncSync(descriptor);
	} finally {
		closeSync(descriptor);
	}
}

function isMissing(error: unknown): boolean {
	return (error as NodeJS.ErrnoException).code === "ENOENT";
}
