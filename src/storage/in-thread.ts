import { decodeBlock } from "../raft/codec.js";
import type { Entry } from "../raft/types.js";
import type { Disk } from "./disk.js";
import { groupsOf } from "./group.js";
import type {
	LogStorage,
	LogStorageEvents,
	LogStorageStats,
	RecoveredLog,
	WriteBatch,
} from "./log-storage.js";
import { PendingWrites } from "./pending-writes.js";
import { realDisk } from "./real-disk.js";
import { openWal, type Wal } from "./wal.js";

/** For tests, and where the program runs from source: the same log, on the caller's thread, on any disk. */
export async function openLogInThread(
	options: {
		/** The log's own directory. */
		readonly directory: string;
		readonly clusterId: string;
		readonly nodeId: string;
		readonly segmentBytes?: number;
		readonly disk?: Disk;
	},
	events: LogStorageEvents,
): Promise<{ log: LogStorage; recovered: RecoveredLog }> {
	const { wal, recovered } = openWal({ disk: realDisk, ...options });
	return { log: new InThreadLog(wal, events), recovered };
}

class InThreadLog implements LogStorage {
	readonly #wal: Wal;
	readonly #events: LogStorageEvents;
	readonly #pending = new PendingWrites();
	#queue: WriteBatch[] = [];
	#scheduled = false;
	#failure: Error | null = null;

	constructor(wal: Wal, events: LogStorageEvents) {
		this.#wal = wal;
		this.#events = events;
	}

	append(batch: WriteBatch): void {
		this.#pending.add(batch.sequence, performance.now());
		this.#queue.push(batch);
		if (this.#scheduled) return;
		this.#scheduled = true;
		setImmediate(() => this.#drain());
	}

	async read(first: number, last: number, maxBytes: number): Promise<Entry[]> {
		return decodeBlock(this.#wal.readBlock(first, last, maxBytes));
	}

	pendingMs(): number {
		return this.#pending.oldestMs(performance.now());
	}

	stats(): LogStorageStats {
		return this.#wal.stats();
	}

	async close(): Promise<void> {
		this.#drain();
		this.#wal.close();
	}

	#drain(): void {
		this.#scheduled = false;
		if (this.#failure !== null) return;
		const batches = this.#queue;
		this.#queue = [];
		try {
			for (const group of groupsOf(batches)) {
				this.#wal.append(group);
				const { sequence } = group.at(-1) as WriteBatch;
				this.#pending.done(sequence);
				this.#events.onDurable(sequence);
			}
			this.#wal.markFloor();
		} catch (error) {
			this.#fail(error);
		}
	}

	#fail(error: unknown): void {
		this.#failure = error instanceof Error ? error : new Error(String(error));
		this.#events.onFailure(this.#failure);
	}
}
