import { withKnownAppends } from "./known-appends.js";
import { impossible, type Model } from "./model.js";

export type RegisterInput =
	| { readonly op: "read" }
	| { readonly op: "write"; readonly value: number }
	| {
			readonly op: "swap";
			readonly expect: number | null;
			readonly value: number;
	  };

/** Of a read the value, of a write true, of a swap whether it swapped. */
export type RegisterOutput = number | null | boolean;

/** A value that is read, written, and swapped for another where it is what was expected; null at first. */
export const register: Model<number | null, RegisterInput, RegisterOutput> = {
	name: "register",
	initial: null,
	step(state, input, told) {
		if (input.op === "write") return input.value;
		if (input.op === "read")
			return told === null || told.output === state ? state : impossible;
		const swaps = state === input.expect;
		if (told !== null && told.output !== swaps) return impossible;
		return swaps ? input.value : state;
	},
	changesNothing: ({ op }, told) =>
		op === "read" || (op === "swap" && told?.output === false),
	nameOf: (input) => JSON.stringify(input),
	describe(input, told) {
		const output = told === null ? "?" : told.output;
		if (input.op === "read") return `read -> ${output}`;
		if (input.op === "write") return `write ${input.value}`;
		return `swap ${input.expect} for ${input.value} -> ${output}`;
	},
};

export type CounterInput =
	| { readonly op: "read" }
	| { readonly op: "increment" };

/** Counts from 0; an increment returns the value after it, so that one that was executed twice shows. */
export const counter: Model<number, CounterInput, number> = {
	name: "counter",
	initial: 0,
	step(state, { op }, told) {
		const after = op === "increment" ? state + 1 : state;
		return told === null || told.output === after ? after : impossible;
	},
	changesNothing: ({ op }) => op === "read",
	nameOf: ({ op }) => op,
	describe: ({ op }, told) => `${op} -> ${told?.output ?? "?"}`,
};

export type AppendInput =
	| { readonly op: "read" }
	| { readonly op: "append"; readonly element: number };

/** Of a read the whole list, of an append the length after it. */
export type AppendOutput = readonly number[] | number;

/** A list as what it was before and its last element; each list exists once. */
export interface List {
	readonly length: number;
	readonly longer: Map<number, List>;
}

/** A list that grows at its end. A model of its own for each check: it holds every list that it has met. */
export function createAppendModel(): Model<List, AppendInput, AppendOutput> {
	const empty: List = { length: 0, longer: new Map() };
	const met = new WeakMap<readonly number[], List>();
	const listOf = (elements: readonly number[]): List => {
		let list = met.get(elements);
		if (list === undefined) {
			list = elements.reduce(longer, empty);
			met.set(elements, list);
		}
		return list;
	};
	return {
		name: "append",
		initial: empty,
		step(state, input, told) {
			if (input.op === "read") {
				if (told === null) return state;
				return listOf(told.output as readonly number[]) === state
					? state
					: impossible;
			}
			if (told !== null && told.output !== state.length + 1) return impossible;
			return longer(state, input.element);
		},
		changesNothing: ({ op }) => op === "read",
		withKnown: withKnownAppends,
		nameOf: (input) => JSON.stringify(input),
		describe(input, told) {
			if (input.op === "read")
				return `read -> ${told === null ? "?" : JSON.stringify(told.output)}`;
			return `append ${input.element} -> ${told?.output ?? "?"}`;
		},
	};
}

function longer(list: List, element: number): List {
	let next = list.longer.get(element);
	if (next === undefined) {
		next = { length: list.length + 1, longer: new Map() };
		list.longer.set(element, next);
	}
	return next;
}
