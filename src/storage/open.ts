import {
	MessageChannel,
	type MessagePort,
	receiveMessageOnPort,
	Worker,
} from "node:worker_threads";
import { decodeBlock } from "../raft/codec.js";
import type { Entry } from "../raft/types.js";
import { BatchRingWriter, batchRingMemory } from "./batch-ring.js";
import { bufferOf } from "./block.js";
import {
	type FromLog,
	type LogWord,
	loadStats,
	receiveError,
	statCount,
	type WorkerStart,
} from "./hand-over.js";
import { packBatch, packedBytes } from "./handed-batch.js";
import { openLogInThread } from "./in-thread.js";
import type {
	LogStorage,
	LogStorageEvents,
	LogStorageStats,
	RecoveredLog,
	WriteBatch,
} from "./log-storage.js";
import { PendingWrites } from "./pending-writes.js";
import { defaultSegmentBytes } from "./record-log.js";

interface OpenLogOptions {
	/** The log's own directory; made when it is not there. The caller holds the lock on the data directory. */
	readonly directory: string;
	readonly clusterId: string;
	readonly nodeId: string;
	/** Size of a segment's file. */
	readonly segmentBytes?: number;
	/** The compiled worker.ts. By default the one beside this file; run from source, the log uses the caller's thread. */
	readonly workerUrl?: URL;
}

/**
 * Opens the log, or begins one, on a thread of its own. Rejects with an OperatorError when it is damaged, belongs to
 * another node, or was written by a later format. `events` are called only after it resolves.
 */
export async function openLogStorage(
	options: OpenLogOptions,
	events: LogStorageEvents,
): Promise<{ log: LogStorage; recovered: RecoveredLog }> {
	const workerUrl = options.workerUrl ?? besideThis;
	if (workerUrl === null) return openLogInThread(options, events);
	const log = new ThreadedLog(options, workerUrl, events);
	const recovered = await log.opened;
	return { log, recovered };
}

const besideThis = import.meta.url.endsWith(".ts")
	? null
	: new URL("./worker.js", import.meta.url);

interface Waiting<T> {
	resolve(value: T): void;
	reject(error: Error): void;
}

class ThreadedLog implements LogStorage {
	readonly opened: Promise<RecoveredLog>;
	readonly #events: LogStorageEvents;
	readonly #port: MessagePort;
	readonly #ring: BatchRingWriter;
	readonly #wakeups = new Int32Array(new SharedArrayBuffer(4));
	readonly #stats = new Float64Array(new SharedArrayBuffer(8 * statCount));
	readonly #pending = new PendingWrites();
	readonly #reads = new Map<number, Waiting<Uint8Array>>();
	readonly #closed: Promise<void>;
	#opening: Waiting<RecoveredLog> | null = null;
	#lastRead = 0;
	/** Of what was handed over last. */
	#serial = 0;
	#failure: Error | null = null;
	#closing = false;

	constructor(
		options: OpenLogOptions,
		workerUrl: URL,
		events: LogStorageEvents,
	) {
		this.#events = events;
		const { port1, port2 } = new MessageChannel();
		this.#port = port1;
		const { directory, clusterId, nodeId } = options;
		const { segmentBytes = defaultSegmentBytes } = options;
		const ring = batchRingMemory();
		this.#ring = new BatchRingWriter(ring);
		const start: WorkerStart = {
			...{ directory, clusterId, nodeId, segmentBytes, port: port2, ring },
			...{ wakeups: this.#wakeups, stats: this.#stats },
		};
		const worker = new Worker(workerUrl, {
			workerData: start,
			transferList: [port2],
			name: "log",
		});
		this.opened = new Promise((resolve, reject) => {
			this.#opening = { resolve, reject };
		});
		this.#closed = new Promise((resolve) => {
			worker.once("exit", () => {
				this.#ended();
				resolve();
			});
		});
		worker.once("error", (error) => this.#fail(error));
		port1.on("message", (message: FromLog) => this.#receive(message));
	}

	append(batch: WriteBatch): void {
		this.#pending.add(batch.sequence, performance.now());
		if (this.#failure !== null) return;
		const bytes = packedBytes(batch);
		const room = this.#ring.reserve(bytes);
		if (room === null) this.#transfer(batch, bytes);
		else {
			packBatch(batch, room);
			this.#ring.publish(++this.#serial);
			this.#wake();
		}
	}

	async read(first: number, last: number, maxBytes: number): Promise<Entry[]> {
		if (this.#failure !== null) throw this.#failure;
		// The thread may be gone without having taken it.
		if (this.#closing) throw new Error("the log is closed");
		const id = ++this.#lastRead;
		const block = await new Promise<Uint8Array>((resolve, reject) => {
			this.#reads.set(id, { resolve, reject });
			this.#send({ kind: "read", id, first, last, maxBytes });
		});
		// Parts of a Buffer are Buffers: machines want these, and making one of each entry costs as much as the entry.
		return decodeBlock(bufferOf(block));
	}

	compact(index: number): void {
		this.#send({ kind: "compact", index });
	}

	pendingMs(): number {
		return this.#pending.oldestMs(performance.now());
	}

	stats(): LogStorageStats {
		return loadStats(this.#stats);
	}

	async close(): Promise<void> {
		if (!this.#closing) {
			this.#closing = true;
			this.#send({ kind: "close" });
		}
		await this.#closed;
	}

	/** A batch that is too large for the ring, or for what is free of it. */
	#transfer(batch: WriteBatch, bytes: number): void {
		// Not from the pool: memory that others share cannot change hands.
		const packed = Buffer.allocUnsafeSlow(bytes);
		packBatch(batch, packed);
		const memory = packed.buffer as ArrayBuffer;
		this.#send({ kind: "batch", packed: memory }, [memory]);
	}

	#send(word: LogWord, transfer: ArrayBuffer[] = []): void {
		if (this.#failure !== null) return;
		this.#port.postMessage({ ...word, serial: ++this.#serial }, transfer);
		this.#wake();
	}

	#wake(): void {
		Atomics.add(this.#wakeups, 0, 1);
		Atomics.notify(this.#wakeups, 0);
	}

	#receive(message: FromLog): void {
		if (typeof message === "number") {
			if (this.#failure !== null) return;
			this.#pending.done(message);
			this.#events.onDurable(message);
		} else if (message.kind === "block") {
			this.#take(message.id)?.resolve(message.block);
		} else if (message.kind === "unreadable") {
			this.#take(message.id)?.reject(receiveError(message.error));
		} else if (message.kind === "opened") {
			this.#opening?.resolve(message.recovered);
			this.#opening = null;
		} else if (message.kind === "failed")
			this.#fail(receiveError(message.error));
	}

	#take(id: number): Waiting<Uint8Array> | undefined {
		const waiting = this.#reads.get(id);
		this.#reads.delete(id);
		return waiting;
	}

	/** The thread is gone; unless that was asked for, or its reason is known, it is a failure of its own. */
	#ended(): void {
		// The end of a thread may overtake its last words.
		for (;;) {
			const left = receiveMessageOnPort(this.#port);
			if (left === undefined) break;
			this.#receive(left.message);
		}
		this.#port.close();
		if (!this.#closing) this.#fail(new Error("the log's thread ended"));
		const error = this.#failure ?? new Error("the log is closed");
		for (const { reject } of this.#reads.values()) reject(error);
		this.#reads.clear();
	}

	#fail(error: Error): void {
		if (this.#failure !== null) return;
		this.#failure = error;
		for (const { reject } of this.#reads.values()) reject(error);
		this.#reads.clear();
		if (this.#opening === null) this.#events.onFailure(error);
		else this.#opening.reject(error);
		this.#opening = null;
	}
}
