import { reasonOf } from "../../errors.js";
import type { Clock } from "../clock.js";
import { type LogLine, mergedByTime } from "./log-line.js";
import type { LogPage, LogSource } from "./source.js";

interface LogStreamOptions {
	readonly sources: readonly LogSource[];
	readonly clock: Clock;
	readonly signal: AbortSignal;
	/** A node whose log is not read any more, or is again; each change once. */
	say(node: string, message: string): void;
}

interface Round {
	readonly lines: readonly LogLine[];
	/** Somebody has more to tell by now. */
	readonly more: boolean;
}

/** Several logs, read side by side in rounds. One that is slow is left out of a round and has its lines in a later one. */
export class LogStream {
	readonly #options: LogStreamOptions;
	readonly #readers: readonly Reader[];

	constructor(options: LogStreamOptions) {
		this.#options = options;
		this.#readers = options.sources.map((source) => new Reader(source));
	}

	/** `limitMs`: null waits for all. */
	async round(limitMs: number | null): Promise<Round> {
		const { signal, clock } = this.#options;
		const over = new AbortController();
		const reading = Promise.all(
			this.#readers.map((reader) => reader.reading(signal)),
		);
		const limit =
			limitMs === null
				? []
				: [clock.sleep(limitMs, AbortSignal.any([over.signal, signal]))];
		await Promise.race([reading, ...limit]).catch(() => {});
		over.abort();
		const pages = this.#readers.flatMap((reader) => {
			const outcome = reader.take();
			return outcome === null ? [] : [this.#page(reader, outcome)];
		});
		return {
			lines: mergedByTime(pages.map(({ lines }) => lines)),
			more: pages.some(({ more }) => more) && !signal.aborted,
		};
	}

	/** Of those that fail now. */
	get unread(): readonly { readonly node: string; readonly fault: string }[] {
		return this.#readers.flatMap(({ node, fault }) =>
			fault === null ? [] : [{ node, fault }],
		);
	}

	async close(): Promise<void> {
		await Promise.all(this.#readers.map((reader) => reader.close()));
	}

	#page(reader: Reader, outcome: Outcome): LogPage {
		const { signal, say } = this.#options;
		if ("error" in outcome) {
			if (!signal.aborted && reader.fault === null)
				say(reader.node, `its log is not read: ${reasonOf(outcome.error)}`);
			if (!signal.aborted) reader.fault = reasonOf(outcome.error);
			return { lines: [], more: false, notes: [] };
		}
		if (reader.fault !== null) say(reader.node, "its log is read again");
		reader.fault = null;
		for (const note of outcome.page.notes) say(reader.node, note);
		return outcome.page;
	}
}

type Outcome = { readonly page: LogPage } | { readonly error: unknown };

/** One log, asked for one page at a time. */
class Reader {
	/** What it failed with the last time; null when it did not. */
	fault: string | null = null;
	readonly #source: LogSource;
	#reading: Promise<void> | null = null;
	#outcome: Outcome | null = null;

	constructor(source: LogSource) {
		this.#source = source;
	}

	get node(): string {
		return this.#source.node;
	}

	/** Resolves when there is something to take; what is under way goes on. */
	reading(signal: AbortSignal): Promise<void> {
		this.#reading ??= this.#source.read(signal).then(
			(page) => {
				this.#outcome = { page };
			},
			(error: unknown) => {
				this.#outcome = { error };
			},
		);
		return this.#reading;
	}

	take(): Outcome | null {
		const outcome = this.#outcome;
		if (outcome === null) return null;
		this.#outcome = null;
		this.#reading = null;
		return outcome;
	}

	/** What is under way was aborted or has ended; what it reads from is closed only then. */
	async close(): Promise<void> {
		await this.#reading;
		await this.#source.close();
	}
}
