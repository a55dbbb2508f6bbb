import {
	eventList,
	type HistoryEvent,
	lift,
	type Sorted,
	sorted,
	unlift,
} from "./events.js";
import { type AnyModel, impossible } from "./model.js";
import type { Operation } from "./operation.js";
import { Seen } from "./seen.js";

export type Verdict =
	| {
			readonly kind: "linearizable";
			/** An order in which everything that was told is right; what is not in it never took effect. */
			readonly order: readonly Operation[];
	  }
	| {
			readonly kind: "not-linearizable";
			/** The longest order that was possible before nothing fitted any more. */
			readonly order: readonly Operation[];
	  }
	/** More was to be tried than `maxEffort`. */
	| { readonly kind: "undecided" };

/** How often one search looks at a state, or compares it with an earlier one, at most: some would not end in a lifetime. */
export const maxEffort = 3_000_000;

/**
 * Looks for an order of the operations of one key that the model allows and that keeps to real time: the search of
 * Wing and Gong, with Lowe's memory of the states that led nowhere.
 */
export function search(
	model: AnyModel,
	operations: readonly Operation[],
	limit = maxEffort,
): Verdict {
	const parts = sorted(model.withKnown?.(operations) ?? operations);
	const found = new Search(model, parts);
	const ending = found.run(limit);
	if (ending === "undecided") return { kind: ending };
	if (ending === "linearizable") return { kind: ending, order: found.order() };
	// The same search once more, stopped where it had got furthest: to keep every candidate would cost more.
	const furthest = new Search(model, parts);
	furthest.run(limit, parts.definite.length - found.furthest);
	return { kind: ending, order: furthest.order() };
}

/** A choice that was made, to come back to. */
interface Choice {
	readonly state: unknown;
	/** Of a definite operation its call; null for an optional one. */
	readonly call: HistoryEvent | null;
	readonly optional: number;
	/** It changes nothing, wherever it stands: if it leads nowhere, neither does anything in its place. */
	readonly forced: boolean;
}

class Search {
	readonly #model: AnyModel;
	readonly #definite: readonly Operation[];
	readonly #optional: readonly Operation[];
	readonly #twins: Int32Array;
	readonly #head: HistoryEvent;
	readonly #seen: Seen;
	readonly #choices: Choice[] = [];
	#state: unknown;
	#left: number;
	#furthest = 0;

	constructor(model: AnyModel, { definite, optional }: Sorted) {
		this.#model = model;
		this.#definite = definite;
		this.#optional = optional;
		this.#twins = earlierTwins(model, optional);
		this.#head = eventList(definite);
		this.#seen = new Seen(definite.length, optional.length);
		this.#state = model.initial;
		this.#left = definite.length;
	}

	/** The most definite operations that were ever placed. */
	get furthest(): number {
		return this.#furthest;
	}

	/** Ends, without a verdict, once only `enough` definite operations are left to place. */
	run(limit: number, enough = 0): Verdict["kind"] {
		let call = this.#head.next;
		let optional = 0;
		while (this.#left > enough) {
			if (this.#seen.effort > limit) return "undecided";
			if (call !== null && call.ends !== null) {
				if (this.#takeDefinite(call)) {
					call = this.#head.next;
					optional = 0;
				} else call = call.next;
				continue;
			}
			// The first return: its operation, and all that has begun by now, must be placed before anything later.
			optional = this.#takeOptional(optional, call as HistoryEvent);
			if (optional === taken) {
				call = this.#head.next;
				optional = 0;
				continue;
			}
			const choice = this.#back();
			if (choice === null) return "not-linearizable";
			if (choice.call !== null) {
				call = choice.call.next;
				optional = 0;
			} else {
				call = firstReturn(this.#head);
				optional = choice.optional + 1;
			}
		}
		return "linearizable";
	}

	order(): Operation[] {
		return this.#choices.map(({ call, optional }) =>
			call === null
				? (this.#optional[optional] as Operation)
				: (this.#definite[call.operation] as Operation),
		);
	}

	#takeDefinite(call: HistoryEvent): boolean {
		const { input, ending } = this.#definite[call.operation] as Operation;
		const told = ending.kind === "done" ? ending : null;
		const after = this.#model.step(this.#state, input, told);
		if (after === impossible) return false;
		this.#seen.definite.add(call.operation);
		if (!this.#seen.isNew(after)) {
			this.#seen.definite.delete(call.operation);
			return false;
		}
		const forced = this.#model.changesNothing(input, told);
		this.#choices.push({ state: this.#state, call, optional: -1, forced });
		this.#state = after;
		this.#left--;
		lift(call);
		const placed = this.#definite.length - this.#left;
		this.#furthest = Math.max(this.#furthest, placed);
		return true;
	}

	/** Tries the optional ones from `from` on that began before `limit`; `taken`, or where to go on from. */
	#takeOptional(from: number, limit: HistoryEvent): number {
		const { optional: done } = this.#seen;
		for (let at = from; at < this.#optional.length; at++) {
			const { input, startedAtMs } = this.#optional[at] as Operation;
			if (startedAtMs > limit.atMs) break;
			const twin = this.#twins[at] as number;
			if (done.has(at) || (twin >= 0 && !done.has(twin))) continue;
			const after = this.#model.step(this.#state, input, null);
			// To change nothing is to be of no use.
			if (after === impossible || after === this.#state) continue;
			done.add(at);
			if (this.#seen.isNew(after)) {
				const choice = { state: this.#state, call: null, optional: at };
				this.#choices.push({ ...choice, forced: false });
				this.#state = after;
				return taken;
			}
			done.delete(at);
		}
		return this.#optional.length;
	}

	/** Takes the last choice back, and with it those that had no alternative; null when none is left. */
	#back(): Choice | null {
		for (;;) {
			const choice = this.#choices.pop();
			if (choice === undefined) return null;
			this.#state = choice.state;
			if (choice.call !== null) {
				unlift(choice.call);
				this.#seen.definite.delete(choice.call.operation);
				this.#left++;
			} else this.#seen.optional.delete(choice.optional);
			if (!choice.forced) return choice;
		}
	}
}

const taken = -1;

function firstReturn(head: HistoryEvent): HistoryEvent {
	let event = head.next as HistoryEvent;
	while (event.ends !== null) event = event.next as HistoryEvent;
	return event;
}

/**
 * For each of the optional operations the one before it that does the same, or -1. Of two that do the same, the one that
 * began earlier can stand wherever the other can: only in this order are they tried.
 */
function earlierTwins(
	model: AnyModel,
	optional: readonly Operation[],
): Int32Array {
	const last = new Map<string, number>();
	return Int32Array.from(optional, ({ input }, at) => {
		const name = model.nameOf(input);
		const twin = last.get(name) ?? -1;
		last.set(name, at);
		return twin;
	});
}
