import type { AnyModel } from "./model.js";
import { endOf, type Operation } from "./operation.js";
import { search } from "./search.js";

/**
 * A small part of a history that still has no order. What is left stays true: the history is cut at a moment (what had not
 * ended by then is unknown), and answers are forgotten. A read without its answer is left out; an update without one may
 * still have taken effect, and stays, and so does one that failed only where that matters.
 */
export function shrink({
	model,
	operations,
}: {
	readonly model: AnyModel;
	readonly operations: readonly Operation[];
}): readonly Operation[] {
	const offends = (part: readonly Operation[]) =>
		search(model, part, shrinkEffort).kind === "not-linearizable";
	let part = shortestPrefix(operations, offends);
	for (const operation of leastTellingFirst(model, part)) {
		const replace = (by: Operation[]) =>
			part.flatMap((other) => (other === operation ? by : other));
		const forgotten = replace([forget(operation)]);
		if (!offends(forgotten)) continue;
		part = says(model, operation) ? forgotten : replace([]);
	}
	return part;
}

/** Without its answer it would still be something to look at. */
function says(model: AnyModel, { input, ending }: Operation): boolean {
	return ending.kind !== "failed" && !model.changesNothing(input, null);
}

function leastTellingFirst(
	model: AnyModel,
	operations: readonly Operation[],
): readonly Operation[] {
	return operations.toSorted(
		(a, b) => Number(says(model, a)) - Number(says(model, b)),
	);
}

/** For one search out of many. */
export const shrinkEffort = 20_000;

/** Up to the first end at which no order is left; found by halving, as what is wrong stays wrong. */
function shortestPrefix(
	operations: readonly Operation[],
	offends: (part: readonly Operation[]) => boolean,
): readonly Operation[] {
	const ends = operations
		.map(endOf)
		.filter(Number.isFinite)
		.sort((a, b) => a - b);
	let low = 0;
	let high = ends.length - 1;
	if (high < 0) return operations;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (offends(cut(operations, ends[middle] as number))) high = middle;
		else low = middle + 1;
	}
	return cut(operations, ends[low] as number);
}

/** What certainly failed did so from the start. */
function cut(operations: readonly Operation[], atMs: number): Operation[] {
	return operations
		.filter(({ startedAtMs }) => startedAtMs <= atMs)
		.map((operation) => {
			const { kind, atMs: endedAtMs } = operation.ending;
			return kind === "done" && endedAtMs > atMs
				? forget(operation)
				: operation;
		});
}

function forget(operation: Operation): Operation {
	const { atMs } = operation.ending;
	return { ...operation, ending: { kind: "unknown", atMs } };
}
