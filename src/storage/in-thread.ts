import { decodeBlock } from "../raft/codec.js";
import type { Entry } from "../raft/types.js";
import { bufferOf } from "./block.js";
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

type Task =
	| { readonly kind: "append"; readonly batch: WriteBatch }
	| { readonly kind: "other"; run(): void };

class InThreadLog implements LogStorage {
	readonly #wal: Wal;
	readonly #events: LogStorageEvents;
	readonly #pending = new PendingWrites();
	#tasks: Task[] = [];
	#scheduled = false;
	#failure: Error | null = null;

	constructor(wal: Wal, events: LogStorageEvents) {
		this.#wal = wal;
		this.#events = events;
	}

	append(batch: WriteBatch): void {
		this.#pending.add(batch.sequence, performance.now());
		this.#later({ kind: "append", batch });
	}

	/** In order with the writes, as on a thread of its own: what was handed in before can be read. */
	async read(first: number, last: number, maxBytes: number): Promise<Entry[]> {
		const block = await new Promise<Uint8Array>((resolve, reject) => {
			const run = () => {
				try {
					if (this.#failure !== null) throw this.#failure;
					resolve(this.#wal.readBlock(first, last, maxBytes));
				} catch (error) {
					reject(error);
				}
			};
			this.#later({ kind: "other", run });
		});
		return decodeBlock(bufferOf(block));
	}

	compact(index: number): void {
		this.#later({ kind: "other", run: () => this.#compact(index) });
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

	#later(task: Task): void {
		this.#tasks.push(task);
		if (this.#scheduled) return;
		this.#scheduled = true;
		setImmediate(() => this.#drain());
	}

	#drain(): void {
		this.#scheduled = false;
		const tasks = this.#tasks;
		this.#tasks = [];
		let batches: WriteBatch[] = [];
		for (const task of tasks) {
			if (task.kind === "append") batches.push(task.batch);
			else {
				this.#write(batches);
				batches = [];
				task.run();
			}
		}
		this.#write(batches);
		this.#guarded(() => this.#wal.markFloor());
	}

	#write(batches: readonly WriteBatch[]): void {
		this.#guarded(() => {
			for (const group of groupsOf(batches)) {
				this.#wal.append(group);
				const { sequence } = group.at(-1) as WriteBatch;
				this.#pending.done(sequence);
				this.#events.onDurable(sequence);
			}
		});
	}

	#compact(index: number): void {
		this.#guarded(() => {
			this.#wal.compact(index);
			while (this.#wal.removeSome());
		});
	}

	#guarded(work: () => void): void {
		if (this.#failure !== null) return;
		try {
			work();
		} catch (error) {
			this.#fail(error);
		}
	}

	#fail(error: unknown): void {
		this.#failure = error instanceof Error ? error : new Error(String(error));
		this.#events.onFailure(this.#failure);
	}
}
