import { type ErrorKind, OperatorError } from "../errors.js";
import type { LogStorageStats, RecoveredLog } from "./log-storage.js";

/**
 * What goes between the thread of the node and that of its log. The ring carries the batches (handed-batch.ts), the port
 * whatever else there is, and batches for which the ring has no room now. All that goes to the log is numbered from 1 on,
 * in one row. `wakeups` is what the log's thread sleeps on, as a futex wakes it sooner than an event loop would.
 */
export interface WorkerStart {
	readonly directory: string;
	readonly clusterId: string;
	readonly nodeId: string;
	readonly segmentBytes: number;
	readonly port: import("node:worker_threads").MessagePort;
	/** Of `batchRingMemory`. */
	readonly ring: SharedArrayBuffer;
	/** One Int32, raised with every message. */
	readonly wakeups: Int32Array;
	/** The statistics as the log's thread last left them; see `storeStats`. */
	readonly stats: Float64Array;
}

export type ToLog = { readonly serial: number } & LogWord;

export type LogWord =
	| { readonly kind: "batch"; readonly packed: ArrayBuffer }
	| {
			readonly kind: "read";
			readonly id: number;
			readonly first: number;
			readonly last: number;
			readonly maxBytes: number;
	  }
	| { readonly kind: "compact"; readonly index: number }
	| { readonly kind: "close" };

export type FromLog =
	| { readonly kind: "opened"; readonly recovered: RecoveredLog }
	/** Durable is every batch up to this sequence. */
	| number
	| { readonly kind: "block"; readonly id: number; readonly block: Uint8Array }
	| {
			readonly kind: "unreadable";
			readonly id: number;
			readonly error: SentError;
	  }
	| { readonly kind: "failed"; readonly error: SentError }
	| { readonly kind: "closed" };

/** An error as data: classes do not survive between threads. */
export interface SentError {
	readonly message: string;
	readonly stack: string | undefined;
	readonly code: string | undefined;
	/** Of the file that the system refused, if the error names one. */
	readonly path: string | undefined;
	readonly syscall: string | undefined;
	/** A RangeError: what was asked for is not there. */
	readonly isRange: boolean;
	readonly operator: {
		readonly kind: ErrorKind;
		readonly node: string | undefined;
		readonly problems: readonly string[];
		readonly state: string | undefined;
		readonly next: string | undefined;
	} | null;
	readonly cause: SentError | null;
}

export function sendError(error: unknown): SentError {
	const { message, stack, cause } =
		error instanceof Error ? error : new Error(String(error));
	return {
		message,
		stack,
		...systemWords(error),
		isRange: error instanceof RangeError,
		operator: error instanceof OperatorError ? operatorWords(error) : null,
		cause: cause === undefined ? null : sendError(cause),
	};
}

export function receiveError(sent: SentError): Error {
	const cause = sent.cause === null ? undefined : receiveError(sent.cause);
	if (sent.operator !== null) {
		const { kind, node, problems, state, next } = sent.operator;
		return new OperatorError(kind, sent.message, {
			problems,
			cause,
			...(node === undefined ? {} : { node }),
			...(state === undefined ? {} : { state }),
			...(next === undefined ? {} : { next }),
		});
	}
	const error: NodeJS.ErrnoException = sent.isRange
		? new RangeError(sent.message, { cause })
		: new Error(sent.message, { cause });
	for (const word of ["code", "path", "syscall"] as const)
		if (sent[word] !== undefined) error[word] = sent[word];
	if (sent.stack !== undefined) error.stack = sent.stack;
	return error;
}

function systemWords(error: unknown) {
	const { code, path, syscall } = (error ?? {}) as NodeJS.ErrnoException;
	return { code, path, syscall };
}

function operatorWords(error: OperatorError) {
	const { kind, node, problems, state, next } = error;
	return { kind, node, problems, state, next };
}

const statNames = [
	"syncs",
	"syncMaxMs",
	"syncTotalMs",
	"bytesWritten",
	"segments",
	"bytesHeld",
	"firstIndex",
] as const satisfies readonly (keyof LogStorageStats)[];

export const statCount = statNames.length;

export function storeStats(stats: LogStorageStats, target: Float64Array): void {
	for (const [place, name] of statNames.entries()) target[place] = stats[name];
}

export function loadStats(source: Float64Array): LogStorageStats {
	const [
		syncs = 0,
		syncMaxMs = 0,
		syncTotalMs = 0,
		bytesWritten = 0,
		segments = 0,
		bytesHeld = 0,
		firstIndex = 0,
	] = source;
	return {
		...{ syncs, syncMaxMs, syncTotalMs, bytesWritten },
		...{ segments, bytesHeld, firstIndex },
	};
}
