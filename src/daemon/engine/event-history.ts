import type { EventSubscriber, EventSubscription } from "../replica.js";

/** Every event from `oldestIndex` on, up to what was applied: their indexes, rising, and their bytes. */
export interface HistoryEvents {
	readonly oldestIndex: number;
	readonly indexes: readonly number[];
	readonly events: readonly Uint8Array[];
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
	#events: Uint8Array[] = [];
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
		this.#append(index, this.#slab.copy(event, command));
	}

	#append(index: number, event: Uint8Array): void {
		const newest =
			this.#end > this.#first ? this.#eventAt(this.#end - 1) : null;
		const bytes = bytesFor(event, newest);
		while (
			this.#end > this.#first &&
			(this.#end - this.#first >= this.#maxEvents ||
				this.#bytes + bytes > this.#maxBytes)
		) {
			this.#dropFirst();
		}
		const place = this.#end++ % this.#maxEvents;
		this.#indexes[place] = index;
		this.#events[place] = event;
		// What it shared its memory with may be gone.
		this.#bytes +=
			place === this.#first % this.#maxEvents ? bytesFor(event, null) : bytes;
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
			bytes += this.#eventAt(first - 1).length;
			if (bytes > maxBytes) break;
			first--;
		}
		const isWhole = first === this.#first;
		return {
			oldestIndex: isWhole ? this.#oldestIndex : this.#indexAt(first - 1) + 1,
			indexes: this.#run(this.#indexes, first),
			events: this.#run(this.#events, first),
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
		restored.events.forEach((event, at) => {
			const index = restored.indexes[at] as number;
			if (index > this.#applied) this.#append(index, event);
		});
		this.#applied = applied;
	}

	#dropAll(oldestIndex: number): void {
		const missing = this.#cursors.filter(({ from }) => from < oldestIndex);
		this.#cursors = this.#cursors.filter(({ from }) => from >= oldestIndex);
		this.#first = this.#end;
		this.#events = [];
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
		const place = cursor.next++ % this.#maxEvents;
		const index = this.#indexes[place] as number;
		if (index >= cursor.from)
			cursor.subscriber.onEvent(index, this.#events[place] as Uint8Array);
	}

	#dropFirst(): void {
		for (const cursor of this.#cursors) {
			if (cursor.next === this.#first && !cursor.closed) this.#tellNext(cursor);
		}
		const place = this.#first++ % this.#maxEvents;
		const next = this.#first < this.#end ? this.#eventAt(this.#first) : null;
		this.#bytes -= bytesFor(this.#events[place] as Uint8Array, next);
		this.#oldestIndex = (this.#indexes[place] as number) + 1;
		this.#events[place] = nothing;
	}

	#indexAt(number: number): number {
		return this.#indexes[number % this.#maxEvents] as number;
	}

	#eventAt(number: number): Uint8Array {
		return this.#events[number % this.#maxEvents] as Uint8Array;
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
const slabBytes = 64 * 1024;
const largestInSlab = slabBytes / 4;

/**
 * Copies events side by side. An event as it comes is a view of a network buffer, all of which would live as long as the
 * event; and they are dropped in the order in which they came, so a slab goes when its last one does. A large one is kept as it
 * is where it is most of that buffer.
 */
export class Slab {
	#buffer = new Uint8Array(0);
	#used = 0;

	/** `command` is what the event came of. A part of it stays as it is; whatever else belongs to the machine. */
	copy(event: Uint8Array, command: Uint8Array = nothing): Uint8Array {
		if (event.length > largestInSlab) {
			const isPart = event.buffer === command.buffer;
			return isPart && isWorthItsMemory(event) ? event : new Uint8Array(event);
		}
		if (this.#used + event.length > this.#buffer.length) {
			this.#buffer = new Uint8Array(slabBytes);
			this.#used = 0;
		}
		const start = this.#used;
		this.#used += event.length;
		this.#buffer.set(event, start);
		return this.#buffer.subarray(start, this.#used);
	}
}

/**
 * Whether a copy would win little. What is kept with the event counts towards the limit, so this is about how many there
 * are, not about memory.
 */
function isWorthItsMemory(event: Uint8Array): boolean {
	return event.length * 4 >= event.buffer.byteLength;
}

/** What is kept in memory for the event alone, or for a row of events of one piece of memory, next to `neighbour`. */
function bytesFor(event: Uint8Array, neighbour: Uint8Array | null): number {
	if (event.length <= largestInSlab) return event.length;
	return event.buffer === neighbour?.buffer ? 0 : event.buffer.byteLength;
}
