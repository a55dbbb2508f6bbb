import type { AppendInput } from "./models.js";
import { endOf, type Operation } from "./operation.js";

/**
 * What a read after everything else tells of the appends that nobody heard of: those in the list took effect, at their
 * place, before the first read that has them ended; the others did not before it, and after it nobody looks. Both are
 * certain, and spare the search trying every choice of them. Without such a read, or where an element is appended twice,
 * nothing is known.
 */
export function withKnownAppends(
	operations: readonly Operation[],
): readonly Operation[] {
	const last = lastRead(operations);
	if (last === null || !hasDistinctElements(operations)) return operations;
	return operations.flatMap((operation) => {
		const { ending, input } = operation;
		if (ending.kind !== "unknown") return [operation];
		const { op, ...rest } = input as AppendInput;
		if (op === "read") return [];
		const { element } = rest as { readonly element: number };
		const place = listOf(last).indexOf(element);
		if (place < 0) return [];
		const seenAtMs = Math.min(
			...operations.filter(showing(element)).map((read) => endOf(read)),
		);
		// A list that has it before it was called is for the search to refuse.
		if (seenAtMs < operation.startedAtMs) return [operation];
		const known = { kind: "done", atMs: seenAtMs, output: place + 1 } as const;
		return [{ ...operation, ending: known }];
	});
}

/** The read that began when everything that anybody heard of had ended. */
function lastRead(operations: readonly Operation[]): Operation | null {
	const done = operations.filter(({ ending }) => ending.kind === "done");
	const last = done.reduce<Operation | null>(
		(latest, one) =>
			latest === null || one.startedAtMs > latest.startedAtMs ? one : latest,
		null,
	);
	if (last === null || !isRead(last)) return null;
	const isAlone = done.every(
		(one) => one === last || endOf(one) < last.startedAtMs,
	);
	return isAlone ? last : null;
}

function isRead({ input, ending }: Operation): boolean {
	return (input as AppendInput).op === "read" && ending.kind === "done";
}

function showing(element: number): (operation: Operation) => boolean {
	return (operation) =>
		isRead(operation) && listOf(operation).includes(element);
}

function listOf({ ending }: Operation): readonly number[] {
	return ending.kind === "done" ? (ending.output as readonly number[]) : [];
}

function hasDistinctElements(operations: readonly Operation[]): boolean {
	const elements = operations.flatMap(({ input }) => {
		const append = input as AppendInput;
		return append.op === "append" ? [append.element] : [];
	});
	return new Set(elements).size === elements.length;
}
