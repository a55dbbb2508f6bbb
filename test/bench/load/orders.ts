/** What to write. */
export interface Writes {
	/** Of one command. */
	readonly bytes: number;
	/** So many different keys. */
	readonly keys: number;
	/** One key after the other rather than any. */
	readonly ordered?: boolean;
	/** Open loop: so many are sent, whatever becomes of them. */
	readonly perSecond?: number;
	/** Closed loop: each sends when it was answered. */
	readonly clients?: number;
	/** Closed loop: then it ends by itself, and says so with a window. */
	readonly total?: number;
}

export type GeneratorOrder =
	| { readonly do: "write"; readonly writes: Writes }
	| { readonly do: "stop" }
	/** Answered with the window since the last one. */
	| { readonly do: "take" };

/** What became of the writes that were answered in it. Times in milliseconds, from the write to the answer. */
export interface LoadWindow {
	readonly seconds: number;
	readonly sent: number;
	readonly done: number;
	/** By reason. */
	readonly refused: Readonly<Record<string, number>>;
	readonly p50: number;
	readonly p99: number;
	readonly max: number;
}
