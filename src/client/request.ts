import type { Ack, Consistency } from "../wire/client-frames.js";

export interface Answer {
	/** The raft index of the command (0 with ack none), or the one that the query was answered at. */
	readonly index: number;
	/** A view of what arrived: copy what is to be kept for long. */
	readonly result: Buffer;
}

type Words =
	| { readonly kind: "command"; readonly ack: Ack }
	| {
			readonly kind: "query";
			readonly consistency: Consistency;
			readonly minIndex: number;
	  };

/** One call of the application on its way, however often it has to be sent. */
export interface Request {
	readonly words: Words;
	readonly bytes: Uint8Array;
	/** Monotonic milliseconds. */
	readonly deadlineMs: number;
	/** How often it was written to a connection. */
	attempts: number;
	settled: boolean;
	readonly resolve: (answer: Answer) => void;
	readonly reject: (error: Error) => void;
}
