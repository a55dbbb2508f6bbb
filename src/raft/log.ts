import { entryBytes } from "./codec.js";
import type { Entry, Restored, TermRange } from "./types.js";

/**
 * The log as the core knows it: the terms of all entries as ranges, which answer every match question, and the newest
 * entries themselves in a window. What lies before the window is on disk only.
 *
 * Always: applied ≤ commit ≤ last, applied ≤ durable ≤ last, and the window reaches back at least to the smaller of
 * commit and durable, as those entries are still to be sent, stored or counted.
 */
export class RaftLog {
	readonly #terms: TermRange[];
	readonly #windowLimitBytes: number;
	#window: Entry[];
	#windowFirst: number;
	#windowBytes = 0;
	#uncommittedBytes = 0;
	#applyingEnded = false;
	/** Writes under way, oldest first; a truncation lowers what they will make durable (P5). */
	readonly #writes: { sequence: number; lastIndex: number }[] = [];
	#slice: readonly Entry[] = [];
	lastIndex: number;
	commit: number;
	/** Entries up to here were handed to the driver for writing. */
	submitted: number;
	/** Entries up to here are on disk, and are what the disk holds now. */
	durable: number;
	/** Entries up to here were handed to the driver for applying. */
	applying: number;
	applied: number;

	constructor(restored: Restored, windowLimitBytes: number) {
		this.#terms = restored.terms.map(({ term, first }) => ({ term, first }));
		this.#windowLimitBytes = windowLimitBytes;
		this.lastIndex = restored.lastIndex;
		this.commit = Math.min(restored.hardState.commit, restored.lastIndex);
		this.submitted = restored.lastIndex;
		this.durable = restored.lastIndex;
		this.applying = restored.applied;
		this.applied = restored.applied;
		this.#window = [...restored.tail];
		this.#windowFirst = restored.lastIndex - restored.tail.length + 1;
		if (this.#windowFirst > this.commit + 1)
			throw new Error(
				"invariant: the restored tail misses uncommitted entries",
			);
		for (const entry of this.#window) {
			this.#windowBytes += entryBytes(entry);
			if (entry.index > this.commit)
				this.#uncommittedBytes += entryBytes(entry);
		}
	}

	get firstIndex(): number {
		return this.#terms[0]?.first ?? this.lastIndex + 1;
	}

	get lastTerm(): number {
		return this.#terms.at(-1)?.term ?? 0;
	}

	/** Bytes of the entries behind the commit index, exactly (P56). */
	get uncommittedBytes(): number {
		return this.#uncommittedBytes;
	}

	get windowBytes(): number {
		return this.#windowBytes;
	}

	/** The term at `index`; null when this log does not know it (P49: never mistaken for term 0). */
	termAt(index: number): number | null {
		if (index === 0) return 0;
		if (index > this.lastIndex) return null;
		const range = this.#terms[this.#rangeAt(index)];
		return range === undefined ? null : range.term;
	}

	/** The largest index at or below `index` whose term is at most `term`: where two logs may still agree (P53). */
	lastIndexWithTermAtMost(index: number, term: number): number {
		let at = this.#rangeAt(Math.min(index, this.lastIndex));
		if (at < 0) return 0;
		if ((this.#terms[at] as TermRange).term <= term)
			return Math.min(index, this.lastIndex);
		while (at > 0 && (this.#terms[at - 1] as TermRange).term > term) at--;
		return (this.#terms[at] as TermRange).first - 1;
	}

	/** Whether a log that ends in (term, index) is at least as up to date as this one (paper, section 5.4.1). */
	isUpToDate(term: number, index: number): boolean {
		return (
			term > this.lastTerm ||
			(term === this.lastTerm && index >= this.lastIndex)
		);
	}

	append(entry: Entry): void {
		if (entry.index !== this.lastIndex + 1)
			throw new Error(
				`invariant: entry ${entry.index} after ${this.lastIndex}`,
			);
		if (entry.term < this.lastTerm)
			throw new Error(`invariant: term ${entry.term} after ${this.lastTerm}`);
		if (entry.term !== this.lastTerm || this.#terms.length === 0) {
			this.#terms.push({ term: entry.term, first: entry.index });
		}
		this.#window.push(entry);
		const bytes = entryBytes(entry);
		this.#windowBytes += bytes;
		this.#uncommittedBytes += bytes;
		this.lastIndex = entry.index;
	}

	/** Drops the entries from `index` on, which a leader has contradicted. Committed ones are never among them. */
	truncate(index: number): void {
		if (index <= this.commit)
			throw new Error(
				`invariant: truncation at ${index} below commit ${this.commit}`,
			);
		for (let i = index; i <= this.lastIndex; i++) {
			const bytes = entryBytes(this.#window[i - this.#windowFirst] as Entry);
			this.#windowBytes -= bytes;
			this.#uncommittedBytes -= bytes;
		}
		this.#window.length = index - this.#windowFirst;
		while (
			this.#terms.length > 0 &&
			(this.#terms.at(-1) as TermRange).first >= index
		)
			this.#terms.pop();
		this.#slice = [];
		this.lastIndex = index - 1;
		this.submitted = Math.min(this.submitted, index - 1);
		this.durable = Math.min(this.durable, index - 1);
		for (const write of this.#writes)
			write.lastIndex = Math.min(write.lastIndex, index - 1);
	}

	commitTo(index: number): void {
		if (index > this.lastIndex)
			throw new Error(
				`invariant: commit ${index} beyond last ${this.lastIndex}`,
			);
		for (let i = this.commit + 1; i <= index; i++) {
			this.#uncommittedBytes -= entryBytes(
				this.#window[i - this.#windowFirst] as Entry,
			);
		}
		this.commit = Math.max(this.commit, index);
	}

	/** The entries that are still to be written; the driver gets them now, as write number `sequence`. */
	submit(sequence: number): readonly Entry[] {
		const entries = this.slice(
			this.submitted + 1,
			this.lastIndex,
		) as readonly Entry[];
		this.submitted = this.lastIndex;
		this.#writes.push({ sequence, lastIndex: this.lastIndex });
		return entries;
	}

	/** Writes up to number `sequence` are on disk. */
	written(sequence: number): void {
		while (
			this.#writes.length > 0 &&
			(this.#writes[0] as { sequence: number }).sequence <= sequence
		) {
			const { lastIndex } = this.#writes.shift() as { lastIndex: number };
			this.durable = Math.max(this.durable, lastIndex);
		}
		this.#trim();
	}

	appliedTo(index: number): void {
		if (index > this.applying)
			throw new Error(`invariant: applied ${index} beyond ${this.applying}`);
		this.applied = Math.max(this.applied, index);
		this.#trim();
	}

	/** Applying is over for good; the window is trimmed without waiting for it. */
	endApplying(): void {
		this.#applyingEnded = true;
		this.#trim();
	}

	/**
	 * Entries [first, last] from the window; null when it does not reach back that far. The same range asked for again
	 * gives the same array, so that the driver encodes it once for the disk and every follower.
	 */
	slice(first: number, last: number): readonly Entry[] | null {
		if (first > last) return [];
		if (first < this.#windowFirst) return null;
		const cached = this.#slice;
		if (
			cached.length === last - first + 1 &&
			(cached[0] as Entry).index === first
		)
			return cached;
		this.#slice = this.#window.slice(
			first - this.#windowFirst,
			last - this.#windowFirst + 1,
		);
		return this.#slice;
	}

	/** The last index so that [first, it] takes at most `maxBytes`, but at least one entry; `first` is in the window. */
	endWithin(first: number, maxBytes: number): number {
		let bytes = 0;
		for (let index = first; index <= this.lastIndex; index++) {
			bytes += entryBytes(this.#window[index - this.#windowFirst] as Entry);
			if (bytes > maxBytes) return Math.max(first, index - 1);
		}
		return this.lastIndex;
	}

	get windowFirst(): number {
		return this.#windowFirst;
	}

	/** Trims in strides of a quarter of the limit, so that the copying is paid once for many entries. */
	#trim(): void {
		if (this.#windowBytes < this.#windowLimitBytes * 1.25) return;
		const applied = this.#applyingEnded ? this.commit : this.applied;
		const keepFrom = Math.min(applied, this.durable, this.commit) + 1;
		let drop = 0;
		while (
			this.#windowBytes > this.#windowLimitBytes &&
			this.#windowFirst + drop < keepFrom
		) {
			this.#windowBytes -= entryBytes(this.#window[drop] as Entry);
			drop++;
		}
		if (drop === 0) return;
		this.#window = this.#window.slice(drop);
		this.#windowFirst += drop;
	}

	/** Position in #terms of the range that holds `index`; -1 when none does. */
	#rangeAt(index: number): number {
		let high = this.#terms.length - 1;
		if (high >= 0 && (this.#terms[high] as TermRange).first <= index)
			return high;
		let low = 0;
		while (low <= high) {
			const middle = (low + high) >> 1;
			if ((this.#terms[middle] as TermRange).first <= index) low = middle + 1;
			else high = middle - 1;
		}
		return high;
	}
}
