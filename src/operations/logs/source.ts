import type { LogLine } from "./log-line.js";

/** Where the log of one node is read. */
export interface LogSource {
	readonly node: string;
	/**
	 * What came since the last call, in the order in which it was written; the first call: what was asked for. A page, if it
	 * is much: `more` says that there is more by now. Throws when it cannot be read; what was not read is read by the next
	 * call.
	 */
	read(signal: AbortSignal): Promise<LogPage>;
	close(): Promise<void>;
}

export interface LogPage {
	readonly lines: readonly LogLine[];
	readonly more: boolean;
	/** What whoever reads the lines should know, each said once. */
	readonly notes: readonly string[];
}

/** From where on a log is shown. */
export interface LogWish {
	/** How far back; null for as far as `lines` goes. */
	readonly sinceMs: number | null;
	/** The newest ones of each node, at most. */
	readonly lines: number;
}

/** A page, roughly: what one look at a log brings into memory. */
export const pageBytes = 4 * 1024 * 1024;
