import { statSync } from "node:fs";

/** A file that was replaced is noticed within about this time. */
const pollIntervalMs = 1_000;

/**
 * Calls back when one of these files has become another. By looking, not by being told: a watch is lost when a file is
 * replaced by a rename, which is how it ought to be done.
 */
export class WatchedFiles {
	readonly #paths: readonly string[];
	readonly #timer: NodeJS.Timeout;
	#seen: string;

	constructor(paths: readonly string[], onChange: () => void) {
		this.#paths = [...new Set(paths)];
		this.#seen = this.#look();
		this.#timer = setInterval(() => {
			const now = this.#look();
			if (now === this.#seen) return;
			this.#seen = now;
			onChange();
		}, pollIntervalMs);
		this.#timer.unref();
	}

	close(): void {
		clearInterval(this.#timer);
	}

	#look(): string {
		return this.#paths.map(signature).join();
	}
}

function signature(path: string): string {
	const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
	return stats === undefined
		? "absent"
		: `${stats.mtimeNs}:${stats.size}:${stats.ino}`;
}
