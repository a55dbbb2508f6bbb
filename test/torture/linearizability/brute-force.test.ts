import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasOrder } from "./brute-force.js";
import type { AnyModel } from "./model.js";
import { counter, createAppendModel, register } from "./models.js";
import type { Operation } from "./operation.js";
import { search } from "./search.js";
import { shrink } from "./shrink.js";

const value = fc.integer({ min: 1, max: 3 });
const maybe = fc.option(value, { freq: 3 });
const outputs = {
	read: maybe,
	write: fc.constant(true),
	swap: fc.boolean(),
	increment: fc.integer({ min: 1, max: 4 }),
	count: fc.integer({ min: 0, max: 4 }),
	list: fc.subarray([1, 2, 3]).chain(shuffled),
	append: fc.integer({ min: 1, max: 3 }),
};

function shuffled(elements: number[]): fc.Arbitrary<number[]> {
	return fc.shuffledSubarray(elements, { minLength: elements.length });
}

type Call = { readonly input: object; readonly output: unknown };

function call(
	input: fc.Arbitrary<object>,
	output: fc.Arbitrary<unknown>,
): fc.Arbitrary<Call> {
	return fc.record({ input, output });
}

const just = (op: string) => fc.constant({ op });
const registerCalls = fc.oneof(
	call(just("read"), outputs.read),
	call(fc.record({ op: fc.constant("write"), value }), outputs.write),
	call(
		fc.record({ op: fc.constant("swap"), expect: maybe, value }),
		outputs.swap,
	),
);
const counterCalls = fc.oneof(
	call(just("read"), outputs.count),
	call(just("increment"), outputs.increment),
);
const appendCalls = fc.oneof(
	call(just("read"), outputs.list),
	call(
		fc.record({ op: fc.constant("append"), element: value }),
		outputs.append,
	),
);

/** Few moments, so that calls overlap and touch. */
function histories(calls: fc.Arbitrary<Call>): fc.Arbitrary<Operation[]> {
	const operation = fc
		.record({
			call: calls,
			startedAtMs: fc.nat(12),
			lastsMs: fc.nat(6),
			kind: fc.constantFrom("done", "done", "done", "unknown", "failed"),
		})
		.map(({ call: { input, output }, startedAtMs, lastsMs, kind }) => {
			const atMs = startedAtMs + lastsMs;
			const ending = kind === "done" ? { kind, atMs, output } : { kind, atMs };
			return { client: "c", input, startedAtMs, ending } as Operation;
		});
	return fc.array(operation, { maxLength: 7 });
}

/** Each element is appended once, and everything is read at the end. */
function readAtTheEnd(
	histories: fc.Arbitrary<Operation[]>,
): fc.Arbitrary<Operation[]> {
	return fc
		.tuple(histories, fc.shuffledSubarray([0, 1, 2, 3, 4, 5]))
		.map(([history, list]) => [
			...history.slice(0, 6).map((operation, element) => {
				const { op } = operation.input as { readonly op: string };
				return op === "append"
					? { ...operation, input: { op, element } }
					: operation;
			}),
			{
				...{ client: "last", input: { op: "read" }, startedAtMs: 100 },
				ending: { kind: "done", atMs: 101, output: likely(history, list) },
			} as Operation,
		]);
}

/** Mostly only what was appended, so that some of these are right. */
function likely(history: readonly Operation[], list: number[]): number[] {
	return list.filter((element) => {
		const { input } = history[element] ?? {};
		return (input as { op?: string } | undefined)?.op === "append";
	});
}

const subjects: [string, () => AnyModel, fc.Arbitrary<Operation[]>][] = [
	["a register", () => register, histories(registerCalls)],
	["a counter", () => counter, histories(counterCalls)],
	["a list", createAppendModel, histories(appendCalls)],
	[
		"a list that is read at the end",
		createAppendModel,
		readAtTheEnd(histories(appendCalls)),
	],
];

describe.each(subjects)(
	"on small random histories of %s",
	(_, model, histories) => {
		it("the search says what trying every order says", () => {
			let linearizable = 0;
			let not = 0;
			fc.assert(
				fc.property(histories, (history) => {
					const expected = hasOrder(model(), history);
					if (expected) linearizable++;
					else not++;
					expect(search(model(), history).kind).toBe(
						expected ? "linearizable" : "not-linearizable",
					);
				}),
				{ numRuns: 5000 },
			);
			// Neither verdict is right by chance alone.
			expect(linearizable).toBeGreaterThan(300);
			expect(not).toBeGreaterThan(300);
		});

		it("what a failure is reduced to is no longer, and fails", () => {
			fc.assert(
				fc.property(histories, (history) => {
					fc.pre(!hasOrder(model(), history));
					const part = shrink({ model: model(), operations: history });
					expect(part.length).toBeLessThanOrEqual(history.length);
					expect(hasOrder(model(), part)).toBe(false);
				}),
				{ numRuns: 500 },
			);
		});
	},
);
