import type { Disk } from "./disk.js";
import type { Segment } from "./segment.js";

/**
 * Segments that the log no longer needs, on their way out. To free a large file at once takes the file system
 * milliseconds, and the next fsync waits for them: so each is shortened in slices first. No sync is needed, as log.json
 * says already that they are not part of the log; what a crash leaves is removed at the next start.
 */
export class Removal {
	readonly #disk: Disk;
	readonly #directory: string;
	readonly #segments: Segment[] = [];
	/** What is left of the first one. */
	#left = 0;

	constructor(disk: Disk, directory: string) {
		this.#disk = disk;
		this.#directory = directory;
	}

	/** What is still on the disk. */
	get bytes(): number {
		const [, ...others] = this.#segments;
		return others.reduce((sum, { header }) => sum + header.size, this.#left);
	}

	add(segments: readonly Segment[]): void {
		if (this.#segments.length === 0) this.#left = segments[0]?.header.size ?? 0;
		this.#segments.push(...segments);
	}

	/** Frees one slice; true while there is more to do. */
	step(): boolean {
		const [segment] = this.#segments;
		if (segment === undefined) return false;
		this.#left = Math.max(0, this.#left - removalSliceBytes);
		if (this.#left > 0) segment.file.truncate(this.#left);
		else {
			segment.file.close();
			this.#disk.remove(`${this.#directory}/${segment.name}`);
			this.#segments.shift();
			this.#left = this.#segments[0]?.header.size ?? 0;
		}
		return this.#segments.length > 0;
	}

	closeFiles(): void {
		for (const { file } of this.#segments) file.close();
	}
}

/** About a millisecond's work. */
const removalSliceBytes = 4 * 1024 * 1024;
