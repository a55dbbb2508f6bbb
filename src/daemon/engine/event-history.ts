import type { EventSubscriber, EventSubscription } from "../replica.js";
import { bytesFor, Slab } from "./event-slab.js";

/** Every event from `oldestIndex` on, up to what was applied: their indexes, rising, and their bytes. To be read once. */
export interface HistoryEvents {
	readonly oldestIndex: number;
	readonly events: Iterable<readonly [index: number, event: Uint8Array]>;
}

interface Cursor {
	readonly subscriber: EventSubscriber;
	/** Events below this index are not told. */
	readonly from: number;
	/** The number of the next event to tell, counted from the first one ever. */
	next: number;
	/** The last progress told. */
	progress: number;
	closed: boolean;
}

/** A turn tells one subscriber at most so many events, so that one that catches up does not hold up the node. */
const eventsPerTurn = 256;
/** A turn ends when it has taken so long; the next one goes on with the subscriber that comes next. */
const turnLimitMs = 5;
/** Subscribers between two looks at the clock. */
const clockStride = 8;

/**
 * The events of the commands applied lately, bounded by count and bytes, for subscribers that resume from an index.
 * Nobody misses an event or gets one twice: before one is dropped, whoever is still to have it gets it.
 */
export class EventHistory {
	readonly #maxEvents: number;
	readonly #maxBytes: number;
	#cursors: Cursor[] = [];
	/** Whose turn it is. */
	#nextCursor = 0;
	/** Event number n lies at n % size; grows up to the limit. */
	#indexes: number[] = [];
	/** Not a view of each: a hundred thousand objects that live long are most of what garbage collection would do. */
	#memories: Uint8Array[] = [];
	#starts: number[] = [];
	#lengths: number[] = [];
	#first = 0;
	#end = 0;
	#bytes = 0;
	readonly #slab = new Slab();
	/** Everything from this index on is kept. */
	#oldestIndex: number;
	#applied: number;

	/** `applied`: what was applied before the first event. */
	constructor(options: {
		readonly maxEvents: number;
		readonly maxBytes: number;
		readonly applied: number;
	}) {
		this.#maxEvents = options.maxEvents;
		this.#maxBytes = options.maxBytes;
		this.#applied = options.applied;
		this.#oldestIndex = options.applied + 1;
	}

	get oldestIndex(): number {
		return this.#oldestIndex;
	}

	get subscribers(): number {
		return this.#cursors.length;
	}

	/** `index` rises with every call; `command` is what the event came of. */
	add(index: number, event: Uint8Array, command?: Uint8Array): void {
		const memory = this.#slab.keep(event, command);
		this.#append(index, memory, this.#slab.start, event.length);
	}

	#append(
		index: number,
		memory: Uint8Array,
		start: number,
		length: number,
	): void {
		const { buffer } = memory;
		const bytes = bytesFor(buffer, length, this.#memoryAt(this.#end - 1));
		while (
			this.#end > this.#first &&
			(this.#end - this.#first >= this.#maxEvents ||
				this.#bytes + bytes > this.#maxBytes)
		) {
			this.#dropFirst();
		}
		// What it shared its memory with may be gone.
		const isAlone = this.#end === this.#first;
		this.#bytes += isAlone ? bytesFor(buffer, length, null) : bytes;
		const place = this.#end++ % this.#maxEvents;
		this.#indexes[place] = index;
		this.#memories[place] = memory;
		this.#starts[place] = start;
		this.#lengths[place] = length;
	}

	/** The state machine stands at `index`. */
	appliedTo(index: number): void {
		this.#applied = index;
	}

	/** The newest events within these bounds, as they are now. */
	frozen(maxEvents: number, maxBytes: number): HistoryEvents {
		let first = this.#end;
		let bytes = 0;
		while (first > this.#first && this.#end - first < maxEvents) {
			bytes += this.#lengths[(first - 1) % this.#maxEvents] as number;
			if (bytes > maxBytes) break;
			first--;
		}
		const isWhole = first === this.#first;
		return {
			oldestIndex: isWhole ? this.#oldestIndex : this.#indexAt(first - 1) + 1,
			events: eventsOf({
				indexes: this.#run(this.#indexes, first),
				memories: this.#run(this.#memories, first),
				starts: this.#run(this.#starts, first),
				lengths: this.#run(this.#lengths, first),
			}),
		};
	}

	/** What lies in the ring from number `first` on, in order. */
	#run<Value>(ring: readonly Value[], first: number): Value[] {
		const count = this.#end - first;
		const place = first % this.#maxEvents;
		const run = ring.slice(place, Math.min(place + count, this.#maxEvents));
		return run.length === count
			? run
			: run.concat(ring.slice(0, count - run.length));
	}

	/**
	 * The state was replaced by that at `applied`; the events' bytes are taken over. Where what is here and `restored` leave no gap, everybody is told all of
	 * it. Else what is here is dropped, and so are those who miss something: they are told so, as a gap cannot be noticed.
	 */
	restore(restored: HistoryEvents, applied: number): void {
		if (restored.oldestIndex > this.#applied + 1)
			this.#dropAll(restored.oldestIndex);
		for (const [index, event] of restored.events)
			if (index > this.#applied) this.#append(index, event, 0, event.length);
		this.#applied = applied;
	}

	#dropAll(oldestIndex: number): void {
		const missing = this.#cursors.filter(({ from }) => from < oldestIndex);
		this.#cursors = this.#cursors.filter(({ from }) => from >= oldestIndex);
		this.#first = this.#end;
		this.#memories = [];
		this.#indexes = [];
		this.#bytes = 0;
		this.#oldestIndex = oldestIndex;
		for (const cursor of this.#cursors) cursor.next = this.#end;
		for (const cursor of missing) {
			cursor.closed = true;
			cursor.subscriber.onGap?.(oldestIndex);
		}
	}

	/** Null when events from `from` on are no longer kept. 0 means from now on. */
	subscribe(
		from: number,
		subscriber: EventSubscriber,
	): EventSubscription | null {
		const first = from === 0 ? this.#applied + 1 : from;
		if (first < this.#oldestIndex) return null;
		const cursor: Cursor = {
			subscriber,
			from: first,
			next: this.#numberOf(first),
			progress: first - 1,
			closed: false,
		};
		this.#cursors.push(cursor);
		return {
			close: () => {
				if (cursor.closed) return;
				cursor.closed = true;
				this.#cursors = this.#cursors.filter((other) => other !== cursor);
			},
		};
	}

	/** Tells subscribers what is new; true when some is left for the next turn. */
	tell(nowMs: () => number): boolean {
		const cursors = this.#cursors;
		if (!cursors.some((cursor) => this.#lacks(cursor))) return false;
		const untilMs = nowMs() + turnLimitMs;
		const start = this.#nextCursor;
		for (let told = 0; told < cursors.length; told++) {
			const at = (start + told) % cursors.length;
			this.#nextCursor = at + 1;
			this.#tellSome(cursors[at] as Cursor);
			if (told % clockStride === clockStride - 1 && nowMs() >= untilMs) break;
		}
		return cursors.some((cursor) => this.#lacks(cursor));
	}

	#lacks(cursor: Cursor): boolean {
		if (cursor.closed) return false;
		return cursor.next < this.#end || cursor.progress < this.#applied;
	}

	#tellSome(cursor: Cursor): void {
		const until = Math.min(this.#end, cursor.next + eventsPerTurn);
		while (cursor.next < until && !cursor.closed) this.#tellNext(cursor);
		if (cursor.closed || cursor.next < this.#end) return;
		if (this.#applied <= cursor.progress) return;
		cursor.progress = this.#applied;
		cursor.subscriber.onProgress(this.#applied);
	}

	#tellNext(cursor: Cursor): void {
		const number = cursor.next++;
		const index = this.#indexAt(number);
		if (index >= cursor.from)
			cursor.subscriber.onEvent(index, this.#eventAt(number));
	}

	#dropFirst(): void {
		for (const cursor of this.#cursors) {
			if (cursor.next === this.#first && !cursor.closed) this.#tellNext(cursor);
		}
		const place = this.#first++ % this.#maxEvents;
		const { buffer } = this.#memories[place] as Uint8Array;
		const length = this.#lengths[place] as number;
		this.#bytes -= bytesFor(buffer, length, this.#memoryAt(this.#first));
		this.#oldestIndex = (this.#indexes[place] as number) + 1;
		this.#memories[place] = nothing;
	}

	#indexAt(number: number): number {
		return this.#indexes[number % this.#maxEvents] as number;
	}

	#eventAt(number: number): Uint8Array {
		const place = number % this.#maxEvents;
		const start = this.#starts[place] as number;
		return (this.#memories[place] as Uint8Array).subarray(
			start,
			start + (this.#lengths[place] as number),
		);
	}

	/** Where that event lies; null when it is not here. */
	#memoryAt(number: number): ArrayBufferLike | null {
		if (number < this.#first || number >= this.#end) return null;
		return (this.#memories[number % this.#maxEvents] as Uint8Array).buffer;
	}

	/** The number of the first event at or after `index`. */
	#numberOf(index: number): number {
		let low = this.#first;
		let high = this.#end;
		while (low < high) {
			const middle = Math.floor((low + high) / 2);
			if (this.#indexAt(middle) < index) low = middle + 1;
			else high = middle;
		}
		return low;
	}
}

const nothing = new Uint8Array(0);

/** A view is made of each when it is asked for: of all at once they would hold the node up. */
function* eventsOf(run: {
	readonly indexes: readonly number[];
	readonly memories: readonly Uint8Array[];
	readonly starts: readonly number[];
	readonly lengths: readonly number[];
}): Generator<readonly [number, Uint8Array]> {
	for (const [at, index] of run.indexes.entries()) {
		const start = run.starts[at] as number;
		const end = start + (run.lengths[at] as number);
		yield [index, (run.memories[at] as Uint8Array).subarray(start, end)];
	}
}
