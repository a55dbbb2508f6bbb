import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { groupsOf } from "./group.js";
import {
	type FromLog,
	sendError,
	storeStats,
	type ToLog,
	type WorkerStart,
} from "./hand-over.js";
import { unpackBatch } from "./handed-batch.js";
import type { WriteBatch } from "./log-storage.js";
import { sliceBytes } from "./next-segment.js";
import { realDisk } from "./real-disk.js";
import { openWal, type Wal } from "./wal.js";

/**
 * The log's own thread: it sleeps until something is handed over, takes all there is, writes it as one group. Calls are
 * synchronous, as the libuv pool is shared with zlib and DNS (P67).
 */
const { port, wakeups, stats, ...options } = workerData as WorkerStart;

type Word = Exclude<ToLog, ArrayBuffer>;

/** How long nothing must happen before the floor is noted. */
const quietMs = 20;

function say(message: FromLog, transfer: ArrayBuffer[] = []): void {
	port.postMessage(message, transfer);
}

function run(wal: Wal): void {
	let tidying = false;
	let unmarked = true;
	let owedBytes = 0;
	for (;;) {
		const seen = Atomics.load(wakeups, 0);
		const batches: WriteBatch[] = [];
		const last = takeBatches(batches);
		if (batches.length > 0) {
			const before = wal.stats().bytesWritten;
			commit(wal, batches);
			// The next segment is filled at twice the pace of this one, in slices too small to be felt.
			owedBytes += 2 * (wal.stats().bytesWritten - before);
			unmarked = true;
			tidying = true;
			if (owedBytes >= sliceBytes) {
				tidy(wal, owedBytes);
				owedBytes = 0;
			}
		}
		if (last?.kind === "close") return;
		if (last?.kind === "read") read(wal, last);
		if (last?.kind === "compact") {
			wal.compact(last.index);
			storeStats(wal.stats(), stats);
			tidying = true;
		}
		if (last !== null || batches.length > 0) continue;
		if (tidying) tidying = tidy(wal, sliceBytes);
		else if (
			Atomics.wait(wakeups, 0, seen, unmarked ? quietMs : undefined) ===
			"timed-out"
		) {
			wal.markFloor();
			unmarked = false;
		}
	}
}

/** A slice of what can be done at any time; true while there is more. Room is freed before it is taken. */
function tidy(wal: Wal, bytes: number): boolean {
	const removing = wal.removeSome();
	const preparing = wal.prepare(bytes);
	storeStats(wal.stats(), stats);
	return removing || preparing;
}

/** Takes batches until there is none or something else comes, which is returned. */
function takeBatches(batches: WriteBatch[]): Word | null {
	for (;;) {
		const message: ToLog | undefined = receiveMessageOnPort(port)?.message;
		if (!(message instanceof ArrayBuffer)) return message ?? null;
		batches.push(unpackBatch(message));
	}
}

function commit(wal: Wal, batches: readonly WriteBatch[]): void {
	for (const group of groupsOf(batches)) {
		wal.append(group);
		storeStats(wal.stats(), stats);
		say((group.at(-1) as WriteBatch).sequence);
	}
}

function read(wal: Wal, request: Word & { kind: "read" }): void {
	const { id, first, last, maxBytes } = request;
	try {
		const block = wal.readBlock(first, last, maxBytes);
		say({ kind: "block", id, block }, [block.buffer]);
	} catch (error) {
		say({ kind: "unreadable", id, error: sendError(error) });
	}
}

try {
	const { wal, recovered } = openWal({ ...options, disk: realDisk });
	storeStats(wal.stats(), stats);
	say({ kind: "opened", recovered });
	try {
		run(wal);
	} finally {
		wal.close();
	}
	say({ kind: "closed" });
} catch (error) {
	// Nothing is tried again: what the disk holds is known only to the next open (P11).
	say({ kind: "failed", error: sendError(error) });
} finally {
	port.close();
}
