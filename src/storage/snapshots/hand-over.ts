import type { MessagePort } from "node:worker_threads";
import type { sendError } from "../hand-over.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "./snapshot-store.js";

/**
 * What goes between the thread of the node and that of its snapshots. Every request gets one answer, in order. What is
 * open there goes by a handle, which the asking side chooses, rising.
 */
export interface SnapshotsStart {
	readonly directory: string;
	readonly clusterId: string;
	readonly nodeId: string;
	readonly port: MessagePort;
}

export type Call =
	/** Begins to write a snapshot as `handle`. */
	| {
			readonly kind: "create";
			readonly handle: number;
			readonly description: SnapshotDescription;
	  }
	/** Begins, or goes on, to receive one as `handle`; the answer is the offset. */
	| {
			readonly kind: "receive";
			readonly handle: number;
			readonly incoming: {
				readonly id: string;
				readonly index: number;
				readonly fileBytes: number;
			};
	  }
	/** To one that is written or received. */
	| {
			readonly kind: "write";
			readonly handle: number;
			readonly bytes: Uint8Array;
	  }
	/** Of one that is written or received; the answer is the manifest. */
	| { readonly kind: "finish"; readonly handle: number }
	/** Opens the content as `handle`. */
	| {
			readonly kind: "content";
			readonly handle: number;
			readonly index: number;
	  }
	/** The answer is the next chunk, or null. */
	| { readonly kind: "next"; readonly handle: number }
	/** Opens the file as `handle`; the answer is the manifest, or null. */
	| { readonly kind: "open"; readonly handle: number; readonly index: number }
	| {
			readonly kind: "readAt";
			readonly handle: number;
			readonly offset: number;
			readonly length: number;
	  }
	/** Gives up what is written, suspends what is received, closes what is read. */
	| { readonly kind: "release"; readonly handle: number }
	| { readonly kind: "prune"; readonly keep: number }
	/** The last one. */
	| { readonly kind: "end" };

export type Request = Call & { readonly id: number };

export type AnswerValue = SnapshotManifest | Uint8Array | number | null;

type SentError = ReturnType<typeof sendError>;

export interface Answer {
	readonly id: number;
	readonly value: AnswerValue;
	readonly error: SentError | null;
	/** What is listed from now on; null when that is as before. */
	readonly list: readonly SnapshotManifest[] | null;
}

export type FromSnapshots =
	| {
			readonly kind: "opened";
			readonly list: readonly SnapshotManifest[];
			readonly repaired: string[];
	  }
	| { readonly kind: "answer"; readonly answer: Answer }
	| { readonly kind: "failed"; readonly error: SentError };
