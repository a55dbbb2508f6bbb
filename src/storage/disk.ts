/**
 * The disk as the storage sees it, so that a fake one can tear, lose, flip and fail (test/fakes/fake-disk.ts). All
 * calls are synchronous: storage lives on a worker thread of its own, because the libuv pool is shared with zlib and
 * DNS (P67).
 */
export interface Disk {
	/** Names in `directory`, in no particular order; empty when it does not exist. */
	list(directory: string): string[];
	makeDirectory(directory: string): void;
	/** Creates an empty file; fails if it exists. Its name is durable only after `syncDirectory`. */
	create(path: string): DiskFile;
	open(path: string): DiskFile;
	/** Needs no permission to write. Of a directory it fails with EISDIR. */
	openReadOnly(path: string): ReadableFile;
	/** Atomic for readers; durable only after `syncDirectory` of the directory. */
	rename(from: string, to: string): void;
	remove(path: string): void;
	/** Makes creations, renames and removals in `directory` durable (P15). */
	syncDirectory(directory: string): void;
}

export interface ReadableFile {
	readonly path: string;
	size(): number;
	/** Fills as much of `target` as the file has from `offset` on; returns how many bytes that was. */
	readAt(target: Uint8Array, offset: number): number;
	close(): void;
}

export interface DiskFile extends ReadableFile {
	/** Writes all of `bytes` or throws. */
	writeAt(bytes: Uint8Array, offset: number): void;
	truncate(size: number): void;
	/** fdatasync. A failure is final: the pages may be marked clean, so a second try proves nothing (P11). */
	sync(): void;
}

/** Whether a directory was found where a file was to be. */
export function isDirectoryError(error: unknown): boolean {
	return (error as NodeJS.ErrnoException | null)?.code === "EISDIR";
}
