const sectorBytes = 512;

/** A file's bytes: as they are read, and as far as they are on the disk. */
export class Inode {
	cached = Buffer.alloc(0);
	/** Sectors that are in memory only. */
	readonly dirty = new Set<number>();
	#durable = Buffer.alloc(0);

	write(bytes: Uint8Array, offset: number): void {
		const end = offset + bytes.length;
		if (end > this.cached.length) this.resize(end);
		this.cached.set(bytes, offset);
		const first = Math.floor(offset / sectorBytes);
		for (let sector = first; sector * sectorBytes < end; sector += 1)
			this.dirty.add(sector);
	}

	resize(size: number): void {
		const resized = Buffer.alloc(size);
		this.cached.copy(resized);
		this.cached = resized;
	}

	replace(bytes: Uint8Array): void {
		this.cached = Buffer.from(bytes);
		this.#durable = Buffer.from(bytes);
		this.dirty.clear();
	}

	sync(): void {
		if (this.cached.length !== this.#durable.length)
			this.#durable = resizedTo(this.#durable, this.cached.length);
		for (const sector of this.dirty) this.#keep(sector);
		this.dirty.clear();
	}

	crash(random: () => number): void {
		if (random() < 0.5)
			this.#durable = resizedTo(this.#durable, this.cached.length);
		const share = random();
		for (const sector of this.dirty) if (random() < share) this.#keep(sector);
		this.dirty.clear();
		this.cached = Buffer.from(this.#durable);
	}

	#keep(sector: number): void {
		const start = sector * sectorBytes;
		const end = Math.min(start + sectorBytes, this.cached.length);
		if (this.#durable.length < end)
			this.#durable = resizedTo(this.#durable, end);
		this.cached.copy(this.#durable, start, start, end);
	}
}

/**
 * Names of files, and a journal of what changed since the last sync. A crash loses the last changes of it, or any of
 * them: nobody promises an order.
 */
export class Directory {
	names = new Map<string, Inode>();
	#durable = new Map<string, Inode>();
	#journal: ((names: Map<string, Inode>) => void)[] = [];

	set(name: string, inode: Inode): void {
		this.#apply((names) => names.set(name, inode));
	}

	remove(name: string): void {
		this.#apply((names) => names.delete(name));
	}

	rename(from: string, to: string, inode: Inode): void {
		this.#apply((names) => {
			names.delete(from);
			names.set(to, inode);
		});
	}

	sync(): void {
		this.#durable = new Map(this.names);
		this.#journal = [];
	}

	crash(random: () => number): void {
		const kept = Math.floor(random() * (this.#journal.length + 1));
		const isOrdered = random() < 0.5;
		for (const [number, change] of this.#journal.entries())
			if (isOrdered ? number < kept : random() < 0.5) change(this.#durable);
		this.#journal = [];
		this.names = new Map(this.#durable);
	}

	#apply(change: (names: Map<string, Inode>) => void): void {
		change(this.names);
		this.#journal.push(change);
	}
}

function resizedTo(bytes: Buffer, size: number): Buffer<ArrayBuffer> {
	const resized = Buffer.alloc(size);
	bytes.copy(resized);
	return resized;
}
