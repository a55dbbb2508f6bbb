import type { Ack, Consistency } from "../wire/client-frames.js";
import type { OpenSession } from "./open-session.js";

export interface Answer {
	/** The raft index of the command (0 with ack none), or the one that the query was answered at. */
	readonly index: number;
	/** A view of what arrived: copy what is to be kept for long. */
	readonly result: Buffer;
	/**
	 * Of a stale read: for how long the node has not known that its state is current. 0 for all else; null where the
	 * node is of a release that does not say.
	 */
	readonly ageMs: number | null;
}

export type Words =
	| {
			readonly kind: "command";
			readonly ack: Ack;
			/** Of the entry format; undefined: the cluster's. */
			readonly level?: number | undefined;
	  }
	| {
			readonly kind: "query";
			readonly consistency: Consistency;
			readonly minIndex: number;
	  }
	| {
			readonly kind: "open-session";
			opened(id: number, ttlMs: number): void;
	  };

/** One call of the application on its way, however often it has to be sent. */
export interface Request {
	readonly words: Words;
	readonly bytes: Uint8Array;
	/** Monotonic milliseconds. */
	readonly deadlineMs: number;
	/** Its place in a session, which makes another attempt harmless; null without one. */
	place: { readonly session: OpenSession; readonly sequence: number } | null;
	/** Some attempt of this command may have been executed, or may yet be. */
	isDoubtful: boolean;
	/** How often it was written to a connection. */
	attempts: number;
	/** Of its attempt, while that counts in the congestion window; else 0. */
	order: number;
	settled: boolean;
	readonly resolve: (answer: Answer) => void;
	readonly reject: (error: Error) => void;
}
