import { entryBytes } from "./codec.js";
import type { Entry, Restored, TermRange } from "./types.js";

/** Where a log begins: the entry before its first one. Its term is null when nobody remembers it. */
interface Base {
	readonly index: number;
	readonly term: number | null;
}

/** Entries that nobody needs get one of so many shares of the window: for whoever loses a few, or comes back. */
const sharesOfTail = 64;

/**
 * The log as the core knows it: the terms of all entries as ranges, which answer every match question, and the newest
 * entries themselves in a window. What lies before the window is on disk only; what lies at or before the base is gone,
 * and a snapshot stands for it.
 *
 * Always: base ≤ applied ≤ commit ≤ last, applied ≤ durable ≤ last, and the window reaches back at least to what is
 * not yet durable, committed and handed out for applying, as those entries are still to be stored, counted or applied.
 */
export class RaftLog {
	#base: Base;
	#terms: TermRange[];
	readonly #windowLimitBytes: number;
	#window: Entry[];
	#windowFirst: number;
	#windowBytes = 0;
	#uncommittedBytes = 0;
	/** Writes under way, oldest first; a truncation lowers what they will make durable (P5). */
	readonly #writes: { sequence: number; lastIndex: number }[] = [];
	#slice: readonly Entry[] = [];
	/**
	 * The first entry that some follower still needs, Infinity for none: few of those before it stay in the window. What
	 * lives long is what garbage collection costs most for.
	 */
	neededFrom = 1;
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
		this.#base = baseOf(restored);
		this.#terms = restored.terms.map(({ term, first }) => ({ term, first }));
		this.#windowLimitBytes = windowLimitBytes;
		this.lastIndex = restored.lastIndex;
		const snapshotIndex = restored.snapshot?.index ?? 0;
		if (snapshotIndex > restored.lastIndex || this.#base.index > snapshotIndex)
			throw new Error(
				`invariant: a snapshot at ${snapshotIndex} and a log of ${this.#base.index + 1} to ${restored.lastIndex}`,
			);
		this.commit = Math.max(
			Math.min(restored.hardState.commit, restored.lastIndex),
			snapshotIndex,
		);
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

	/** Of the entries that are still held; lastIndex + 1 when there are none. */
	get firstIndex(): number {
		return this.#base.index + 1;
	}

	get lastTerm(): number {
		return this.#terms.at(-1)?.term ?? this.#base.term ?? 0;
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
		if (index === this.#base.index) return this.#base.term;
		if (index < this.#base.index || index > this.lastIndex) return null;
		const range = this.#terms[this.#rangeAt(index)];
		return range === undefined ? null : range.term;
	}

	/**
	 * The largest index at or below `index` whose term is at most `term`: where two logs may still agree (P53). What lies
	 * at or before the base is committed, so logs agree there.
	 */
	lastIndexWithTermAtMost(index: number, term: number): number {
		if (index <= this.#base.index) return index;
		let at = this.#rangeAt(Math.min(index, this.lastIndex));
		if (at < 0) return this.#base.index;
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
	}

	/** Entries up to `index` are gone from the disk, or soon will be; a snapshot stands for them. */
	compact(index: number): void {
		if (index <= this.#base.index) return;
		if (index > this.applied)
			throw new Error(
				`invariant: compaction to ${index} beyond applied ${this.applied}`,
			);
		this.#base = { index, term: this.termAt(index) };
		const kept = this.#terms.slice(Math.max(0, this.#rangeAt(index)));
		const first = kept[0];
		if (first !== undefined && first.first <= index)
			kept[0] = { term: first.term, first: index + 1 };
		this.#terms = index === this.lastIndex ? [] : kept;
		if (this.#windowFirst <= index) this.#drop(index + 1 - this.#windowFirst);
	}

	/** Begins anew behind a snapshot that contradicts this log, or goes beyond it (P45). */
	reset(index: number, term: number): void {
		if (index <= this.commit)
			throw new Error(
				`invariant: reset to ${index} below commit ${this.commit}`,
			);
		this.#base = { index, term };
		this.#terms = [];
		this.#slice = [];
		this.#window = [];
		this.#windowFirst = index + 1;
		this.#windowBytes = 0;
		this.#uncommittedBytes = 0;
		// What these make durable is no longer part of the log (P6).
		for (const write of this.#writes) write.lastIndex = 0;
		this.lastIndex = index;
		this.commit = index;
		this.submitted = index;
		this.durable = index;
		this.applying = index;
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

	/** Trims in strides, so that the copying is paid once for many entries. */
	#trim(): void {
		// What was handed out for applying is in the driver's hands, or on the disk for it to read (P57).
		const droppable = Math.min(this.applying, this.durable, this.commit);
		const limit = this.#windowLimitBytes;
		if (this.#windowBytes >= limit * 1.25) this.#shrink(limit, droppable);
		const few = limit / sharesOfTail;
		const unneeded = Math.min(droppable, this.neededFrom - 1);
		const count = unneeded - this.#windowFirst + 1;
		if (this.#windowBytes >= few * 1.25 && count * 8 >= this.#window.length)
			this.#shrink(few, unneeded);
	}

	/** Lets go of the oldest entries, at most to `last`, until what is left takes no more than `bytes`. */
	#shrink(bytes: number, last: number): void {
		let left = this.#windowBytes;
		let count = 0;
		while (left > bytes && this.#windowFirst + count <= last) {
			left -= entryBytes(this.#window[count] as Entry);
			count++;
		}
		this.#drop(count);
	}

	/** Lets go of the first `count` entries of the window. */
	#drop(count: number): void {
		if (count === 0) return;
		for (let at = 0; at < count; at++)
			this.#windowBytes -= entryBytes(this.#window[at] as Entry);
		this.#window = this.#window.slice(count);
		this.#windowFirst += count;
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

/** A log that begins right behind the snapshot remembers the term before its first entry; one that begins earlier not. */
function baseOf({ terms, lastIndex, snapshot }: Restored): Base {
	const first = terms[0]?.first ?? lastIndex + 1;
	if (first === 1) return { index: 0, term: 0 };
	const index = first - 1;
	return { index, term: index === snapshot?.index ? snapshot.term : null };
}
