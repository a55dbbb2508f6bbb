import type {
	LogStorage,
	LogStorageStats,
	WriteBatch,
} from "../../src/storage/log-storage.js";
import { openLogStorage } from "../../src/storage/open.js";

/** A real log on a disk that can stand still: what is written meanwhile waits, in order, until it goes on. */
export class HeldLog implements LogStorage {
	readonly #log: LogStorage;
	readonly #held: { batch: WriteBatch; sinceMs: number }[] = [];
	#holding = false;

	constructor(log: LogStorage) {
		this.#log = log;
	}

	/** From now on no write gets to the disk. */
	hold(): void {
		this.#holding = true;
	}

	/** How many writes wait. */
	get held(): number {
		return this.#held.length;
	}

	goOn(): void {
		this.#holding = false;
		for (const { batch } of this.#held.splice(0)) this.#log.append(batch);
	}

	/** What waits is lost, as when the machine loses its power. */
	forget(): void {
		this.#held.length = 0;
	}

	append(batch: WriteBatch): void {
		if (!this.#holding) this.#log.append(batch);
		else this.#held.push({ batch, sinceMs: performance.now() });
	}

	read(first: number, last: number, maxBytes: number) {
		return this.#log.read(first, last, maxBytes);
	}

	compact(index: number): void {
		this.#log.compact(index);
	}

	pendingMs(): number {
		const [oldest] = this.#held;
		const heldMs = oldest ? performance.now() - oldest.sinceMs : 0;
		return Math.max(heldMs, this.#log.pendingMs());
	}

	stats(): LogStorageStats {
		return this.#log.stats();
	}

	close(): Promise<void> {
		this.goOn();
		return this.#log.close();
	}
}

/** Opens a real log; `opened` is given the hold on it. */
export function openHeldLog(
	opened: (log: HeldLog) => void,
): typeof openLogStorage {
	return async (options, events) => {
		const { log, recovered } = await openLogStorage(options, events);
		const held = new HeldLog(log);
		opened(held);
		return { log: held, recovered };
	};
}
