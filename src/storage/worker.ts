import { receiveMessageOnPort, workerData } from "node:worker_threads";
import { BatchRingReader } from "./batch-ring.js";
import { groupsOf } from "./group.js";
import {
	type FromLog,
	type LogWord,
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
const { port, ring, wakeups, stats, ...options } = workerData as WorkerStart;

type Word = Exclude<LogWord, { readonly kind: "batch" }>;

const handed = new BatchRingReader(ring);
/** The number of what comes next. */
let serial = 1;
/** Came by the port before its turn. */
let early: ToLog | null = null;

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
			handed.release();
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
		const packed = handed.take(serial);
		const word = packed === null ? fromPort() : null;
		if (packed === null && word === null) return null;
		serial += 1;
		if (packed !== null) batches.push(unpackBatch(packed));
		else if (word?.kind === "batch")
			batches.push(unpackBatch(Buffer.from(word.packed)));
		else return word;
	}
}

/** Null when what comes next is not there: it may be in the ring since that was asked, and this one behind it. */
function fromPort(): LogWord | null {
	early ??= receiveMessageOnPort(port)?.message ?? null;
	if (early?.serial !== serial) return null;
	const word = early;
	early = null;
	return word;
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
