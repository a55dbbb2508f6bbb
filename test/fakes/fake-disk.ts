import type { Disk, DiskFile, ReadableFile } from "../../src/storage/disk.js";
import { Directory, Inode } from "./fake-inode.js";

/**
 * A disk in memory that fails as disks do. What was not synced may be lost at a crash, sector by sector; names that were
 * not synced may vanish; a failed sync marks the pages clean, so that the next one lies; it can be full, refuse a write
 * half way, and have bits flipped. Equal seeds give equal disks.
 */
export class FakeDisk implements Disk {
	/** Bytes that all files together may take; a write beyond them fails with ENOSPC. */
	capacityBytes = Number.POSITIVE_INFINITY;
	/** As of a user without permission to write: all that would change something, or could, fails with EACCES. */
	readOnly = false;
	/** Reads of files, so far. */
	reads = 0;
	/** Calls that change something, so far. */
	operations = 0;
	readonly #random: () => number;
	readonly #directories = new Map<string, Directory>();
	#crashAt = Number.POSITIVE_INFINITY;
	#syncFailures = 0;
	#syncFailureCode: "EIO" | "ENOSPC" = "EIO";
	#writeFailures = 0;
	#writeFailureCode: "EIO" | "ENOSPC" = "EIO";
	#crashed = false;

	constructor(seed: number) {
		this.#random = seededRandom(seed);
	}

	/** The power goes during the `count`th change from now: that call and all later ones throw a DiskCrash. */
	crashAfter(count: number): void {
		this.#crashAt = this.operations + count;
	}

	/** The next `count` syncs fail, and what they should have written counts as clean from then on. */
	failSyncs(count: number, code: "EIO" | "ENOSPC" = "EIO"): void {
		this.#syncFailureCode = code;
		this.#syncFailures = count;
	}

	/** The next `count` writes fail half way. */
	failWrites(count: number, code: "EIO" | "ENOSPC" = "EIO"): void {
		this.#writeFailureCode = code;
		this.#writeFailures = count;
	}

	/** The process that used the disk is killed; the kernel, and with it all that was written, lives on. */
	restart(): void {
		this.#crashed = false;
		this.#crashAt = Number.POSITIVE_INFINITY;
		this.#syncFailures = 0;
		this.#writeFailures = 0;
	}

	/** Turns the power off, loses what may be lost, and turns it on again. Open files are gone. */
	crash(): void {
		for (const directory of this.#directories.values())
			directory.crash(this.#random);
		for (const inode of this.#inodes()) inode.crash(this.#random);
		this.restart();
	}

	/** What `path` holds now, as it is read, to look at and to damage. */
	bytes(path: string): Buffer {
		return this.#inode(path).cached;
	}

	/** Puts `bytes` in the place of the file's content, durably. */
	overwrite(path: string, bytes: Uint8Array): void {
		this.#inode(path).replace(bytes);
	}

	flip(path: string, offset: number, bit: number): void {
		const bytes = Buffer.from(this.bytes(path));
		bytes[offset] = (bytes[offset] as number) ^ (1 << bit);
		this.overwrite(path, bytes);
	}

	/** A second disk with the same content, all of it durable. */
	copy(seed: number): FakeDisk {
		const copy = new FakeDisk(seed);
		for (const [path, directory] of this.#directories) {
			copy.makeDirectory(path);
			for (const [name, inode] of directory.names) {
				copy.create(`${path}/${name}`).close();
				copy.overwrite(`${path}/${name}`, inode.cached);
			}
			copy.syncDirectory(path);
		}
		copy.operations = 0;
		return copy;
	}

	list(directory: string): string[] {
		return [...(this.#directories.get(directory)?.names.keys() ?? [])];
	}

	makeDirectory(directory: string): void {
		this.#change();
		if (!this.#directories.has(directory))
			this.#directories.set(directory, new Directory());
	}

	create(path: string): DiskFile {
		this.#change();
		const { directory, name } = this.#place(path);
		if (directory.names.has(name)) throw failure("EEXIST", path);
		const inode = new Inode();
		directory.set(name, inode);
		return this.#handle(path, inode);
	}

	open(path: string): DiskFile {
		if (this.readOnly) throw failure("EACCES", path);
		return this.#handle(path, this.#inode(path));
	}

	openReadOnly(path: string): ReadableFile {
		return this.#handle(path, this.#inode(path));
	}

	rename(from: string, to: string): void {
		this.#change();
		const source = this.#place(from);
		const target = this.#place(to);
		const inode = this.#inode(from);
		if (source.directory !== target.directory) throw failure("EXDEV", from);
		source.directory.rename(source.name, target.name, inode);
	}

	remove(path: string): void {
		this.#change();
		this.#inode(path);
		const { directory, name } = this.#place(path);
		directory.remove(name);
	}

	syncDirectory(path: string): void {
		this.#change();
		this.#failSync();
		this.#directories.get(path)?.sync();
	}

	#handle(path: string, inode: Inode): DiskFile {
		return {
			path,
			size: () => inode.cached.length,
			writeAt: (bytes, offset) => this.#write(inode, bytes, offset),
			readAt: (target, offset) => {
				this.#alive();
				this.reads += 1;
				return inode.cached.copy(
					target,
					0,
					Math.min(offset, inode.cached.length),
				);
			},
			truncate: (size) => {
				this.#change();
				inode.resize(size);
			},
			sync: () => {
				this.#change(() => undefined);
				try {
					this.#failSync();
				} catch (error) {
					inode.dirty.clear();
					throw error;
				}
				inode.sync();
			},
			close: () => undefined,
		};
	}

	#write(inode: Inode, bytes: Uint8Array, offset: number): void {
		const half = () => inode.write(bytes.subarray(0, bytes.length / 2), offset);
		this.#change(() => inode.write(bytes, offset));
		const growth = offset + bytes.length - inode.cached.length;
		if (growth > 0 && this.#used() + growth > this.capacityBytes) {
			throw failure("ENOSPC", "write");
		}
		if (this.#writeFailures > 0) {
			this.#writeFailures -= 1;
			half();
			throw failure(this.#writeFailureCode, "write");
		}
		inode.write(bytes, offset);
	}

	#failSync(): void {
		if (this.#syncFailures === 0) return;
		this.#syncFailures -= 1;
		throw failure(this.#syncFailureCode, "fsync");
	}

	/** Counts a change; at the crash it may still happen in memory, where it is at the mercy of `crash`. */
	#change(atCrash?: () => void): void {
		this.#alive();
		if (this.readOnly) throw failure("EACCES", "a change");
		this.operations += 1;
		if (this.operations < this.#crashAt) return;
		atCrash?.();
		this.#crashed = true;
		throw new DiskCrash();
	}

	#alive(): void {
		if (this.#crashed) throw new DiskCrash();
	}

	#used(): number {
		let bytes = 0;
		for (const inode of this.#inodes()) bytes += inode.cached.length;
		return bytes;
	}

	*#inodes(): Generator<Inode> {
		for (const { names } of this.#directories.values()) yield* names.values();
	}

	#inode(path: string): Inode {
		this.#alive();
		const { directory, name } = this.#place(path);
		const inode = directory.names.get(name);
		if (inode === undefined) throw failure("ENOENT", path);
		return inode;
	}

	#place(path: string): { directory: Directory; name: string } {
		const cut = path.lastIndexOf("/");
		const directory = this.#directories.get(path.slice(0, cut));
		if (directory === undefined) throw failure("ENOENT", path);
		return { directory, name: path.slice(cut + 1) };
	}
}

/** The machine lost its power in the middle of a call. */
export class DiskCrash extends Error {
	override readonly name = "DiskCrash";
}

function failure(code: string, what: string): NodeJS.ErrnoException {
	const error: NodeJS.ErrnoException = new Error(`${code}: ${what}`);
	error.code = code;
	return error;
}

/** Uniform in [0, 1), equal for equal seeds (mulberry32). */
export function seededRandom(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}
