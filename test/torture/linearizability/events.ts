import { endOf, type Operation } from "./operation.js";

/** A call, or the return of one, in a list that calls are taken out of and put back into. */
export interface HistoryEvent {
	/** The number of the operation among the definite ones. */
	readonly operation: number;
	readonly atMs: number;
	/** Of a call, its return; null for a return. */
	readonly ends: HistoryEvent | null;
	previous: HistoryEvent | null;
	next: HistoryEvent | null;
}

/** What must have taken effect, in order of start, and what may have. Reads that nobody heard of are neither. */
export interface Sorted {
	readonly definite: readonly Operation[];
	readonly optional: readonly Operation[];
}

export function sorted(operations: readonly Operation[]): Sorted {
	const byStart = [...operations].sort((a, b) => a.startedAtMs - b.startedAtMs);
	return {
		definite: byStart.filter(({ ending }) => ending.kind === "done"),
		optional: byStart.filter(({ ending }) => ending.kind === "unknown"),
	};
}

/** The calls and returns of `definite`, in order of time; the head stands before the first. */
export function eventList(definite: readonly Operation[]): HistoryEvent {
	const events = definite.flatMap((operation, at) => {
		const ends = event(at, endOf(operation), null);
		return [event(at, operation.startedAtMs, ends), ends];
	});
	// At the same time, calls come first: they count as concurrent.
	events.sort(
		(a, b) =>
			a.atMs - b.atMs || Number(a.ends === null) - Number(b.ends === null),
	);
	const head = event(-1, Number.NEGATIVE_INFINITY, null);
	let last = head;
	for (const next of events) {
		last.next = next;
		next.previous = last;
		last = next;
	}
	return head;
}

/** Takes a call and its return out. */
export function lift(call: HistoryEvent): void {
	unlink(call);
	unlink(call.ends as HistoryEvent);
}

/** Puts back what was lifted last. */
export function unlift(call: HistoryEvent): void {
	relink(call.ends as HistoryEvent);
	relink(call);
}

function event(
	operation: number,
	atMs: number,
	ends: HistoryEvent | null,
): HistoryEvent {
	return { operation, atMs, ends, previous: null, next: null };
}

function unlink(event: HistoryEvent): void {
	if (event.previous !== null) event.previous.next = event.next;
	if (event.next !== null) event.next.previous = event.previous;
}

function relink(event: HistoryEvent): void {
	if (event.previous !== null) event.previous.next = event;
	if (event.next !== null) event.next.previous = event;
}
