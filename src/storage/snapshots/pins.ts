import { OperatorError } from "../../errors.js";
import type { Disk, DiskFile } from "../disk.js";

/** Files that may be read, by restores and for other nodes, at the same time. */
export const maxOpenFiles = 64;

/** Which snapshots are open, so that none of them is removed. */
export class Pins {
	readonly #nodeId: string;
	/** How often each id is open. */
	readonly #times = new Map<string, number>();
	#open = 0;

	constructor(nodeId: string) {
		this.#nodeId = nodeId;
	}

	has(id: string): boolean {
		return this.#times.has(id);
	}

	/** Opens the file of `id`; `close` may be called again. Throws the disk's error, or an OperatorError. */
	open(
		disk: Disk,
		path: string,
		id: string,
	): { readonly file: DiskFile; close(): void } {
		if (this.#open >= maxOpenFiles)
			throw new OperatorError(
				"unexpected",
				`${maxOpenFiles} snapshots are being read already`,
				{ node: this.#nodeId, next: "try again in a while" },
			);
		const file = disk.open(path);
		this.#count(id, 1);
		let closed = false;
		const close = () => {
			if (closed) return;
			closed = true;
			this.#count(id, -1);
			file.close();
		};
		return { file, close };
	}

	#count(id: string, change: 1 | -1): void {
		this.#open += change;
		const times = (this.#times.get(id) ?? 0) + change;
		if (times === 0) this.#times.delete(id);
		else this.#times.set(id, times);
	}
}
