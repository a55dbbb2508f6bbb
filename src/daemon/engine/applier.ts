import { entryBytes } from "../../raft/codec.js";
import type { Entry } from "../../raft/types.js";
import type { LogStorage } from "../../storage/log-storage.js";
import type { ReplicatedState } from "./replicated-state.js";

/** How long one turn applies before the sockets are looked at again. */
const turnLimitMs = 5;
/** Entries between two looks at the clock. */
const clockStride = 32;
const readBytes = 4 * 1024 * 1024;

interface Range {
	readonly first: number;
	last: number;
	/** Null while they must still be read from the log. */
	entries: readonly Entry[] | null;
}

/** Applies committed entries in order, in slices. */
export class Applier {
	readonly #state: ReplicatedState;
	readonly #log: LogStorage;
	readonly #onExecuted: (entry: Entry, result: Uint8Array) => void;
	readonly #maxWaitingBytes: number;
	readonly #onLoaded: () => void;
	readonly #onUnreadable: (error: Error) => void;
	#ranges: Range[] = [];
	#at = 0;
	/** Since the clock was looked at, whatever range they were of. */
	#unclocked = 0;
	/** Counts what was begun anew: entries that were read for what went before are dropped. */
	#generation = 0;
	#loading = false;
	#held = false;
	#ended = false;
	#waitingBytes = 0;
	/** Ranges whose entries must still be read from the log. */
	#unreadRanges = 0;

	constructor(options: {
		readonly state: ReplicatedState;
		readonly log: LogStorage;
		/** Entries that wait are held in memory up to here; beyond, they are read back from the log (P57). */
		readonly maxWaitingBytes: number;
		onExecuted(entry: Entry, result: Uint8Array): void;
		/** Entries came from the log: there is something to run. */
		onLoaded(): void;
		onUnreadable(error: Error): void;
	}) {
		this.#state = options.state;
		this.#log = options.log;
		this.#maxWaitingBytes = options.maxWaitingBytes;
		this.#onExecuted = options.onExecuted;
		this.#onLoaded = options.onLoaded;
		this.#onUnreadable = options.onUnreadable;
	}

	/** Bytes of entries that are committed, in memory and not applied. */
	get waitingBytes(): number {
		return this.#waitingBytes;
	}

	/** More is committed and not applied than may be held in memory. */
	get isBehind(): boolean {
		return this.#waitingBytes > this.#maxWaitingBytes || this.#unreadRanges > 0;
	}

	/** The next committed range; `entries` is null when the core no longer has them all. */
	add(
		range: { readonly first: number; readonly last: number },
		entries: readonly Entry[] | null,
	): void {
		if (this.#ended) return;
		const held = this.#waitingBytes > this.#maxWaitingBytes ? null : entries;
		const newest = this.#ranges.at(-1);
		const isLoading = this.#loading && this.#ranges.length === 1;
		// One read brings them together; one each would never catch up with a log that grows in small steps.
		if (held === null && newest?.entries === null && !isLoading)
			newest.last = range.last;
		else {
			this.#ranges.push({ ...range, entries: held });
			if (held === null) this.#unreadRanges++;
		}
		for (const entry of held ?? []) this.#waitingBytes += entryBytes(entry);
	}

	/** Nothing will be applied any more: what waits is dropped, and so is what still comes. */
	end(): void {
		this.#ended = true;
		this.#drop();
	}

	/** A snapshot takes the place of what waits; what comes from now on waits until `release`. */
	hold(): void {
		this.#held = true;
		this.#drop();
	}

	release(): void {
		this.#held = false;
	}

	#drop(): void {
		this.#generation++;
		this.#loading = false;
		this.#ranges = [];
		this.#at = 0;
		this.#waitingBytes = 0;
		this.#unreadRanges = 0;
	}

	/** Applies for one turn; true when there is more to apply right away. */
	run(nowMs: () => number): boolean {
		if (this.#ranges.length === 0 || this.#held || this.#state.failure !== null)
			return false;
		const untilMs = nowMs() + turnLimitMs;
		for (let range = this.#ranges[0]; range !== undefined; ) {
			if (range.entries === null) {
				this.#load(range);
				return false;
			}
			if (!this.#applySome(range.entries, nowMs, untilMs))
				return this.#state.failure === null;
			this.#ranges.shift();
			this.#at = 0;
			range = this.#ranges[0];
		}
		return false;
	}

	/** True when all of `entries` is applied; false when time is up or the state has failed. */
	#applySome(
		entries: readonly Entry[],
		nowMs: () => number,
		untilMs: number,
	): boolean {
		while (this.#at < entries.length) {
			const entry = entries[this.#at] as Entry;
			const result = this.#state.apply(entry);
			if (result === null) return false;
			this.#at++;
			this.#waitingBytes -= entryBytes(entry);
			this.#onExecuted(entry, result);
			if (++this.#unclocked < clockStride) continue;
			this.#unclocked = 0;
			if (nowMs() >= untilMs) return false;
		}
		return true;
	}

	/** What the core has let go of is read from the disk, piece by piece. */
	#load(range: Range): void {
		if (this.#loading) return;
		this.#loading = true;
		const generation = this.#generation;
		this.#log.read(range.first, range.last, readBytes).then(
			(entries) => {
				if (generation !== this.#generation) return;
				this.#loading = false;
				this.#ranges.shift();
				const last = entries.at(-1)?.index ?? range.first - 1;
				// What is left of the range is a range that is unread in its place.
				if (last === range.last) this.#unreadRanges--;
				else
					this.#ranges.unshift({
						first: last + 1,
						last: range.last,
						entries: null,
					});
				this.#ranges.unshift({ first: range.first, last, entries });
				for (const entry of entries) this.#waitingBytes += entryBytes(entry);
				this.#onLoaded();
			},
			(error) => {
				if (generation === this.#generation) this.#onUnreadable(error);
			},
		);
	}
}
