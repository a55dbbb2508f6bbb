import type { AnyModel } from "./model.js";
import type { Operation } from "./operation.js";
import { search } from "./search.js";
import { shrinkEffort } from "./shrink.js";

const columns = 40;
const mostLines = 60;

/** The history of a key that no order explains, one line for each operation, and how far an order can be made. */
export function timeline(history: {
	readonly key: string;
	readonly model: AnyModel;
	readonly operations: readonly Operation[];
}): string {
	const { key, model } = history;
	const operations = history.operations.toSorted(
		(a, b) => a.startedAtMs - b.startedAtMs,
	);
	const verdict = search(model, operations, shrinkEffort);
	const order = verdict.kind === "undecided" ? [] : verdict.order;
	const place = placer(operations);
	const numbers = (some: readonly Operation[]) =>
		some.map((one) => operations.indexOf(one) + 1).join(", ") || "none";
	const lines = operations.map((operation, at) => {
		const bar = place(operation);
		return `${`${at + 1}`.padStart(4)} ${bar} ${operation.client}: ${told(model, operation)}`;
	});
	const left = operations.filter(
		(one) => one.ending.kind === "done" && !order.includes(one),
	);
	return [
		`${key} (${model.name}): no order of these ${operations.length} operations gives these answers.`,
		`From ${time(operations[0]?.startedAtMs)} to ${time(lastKnown(operations))} ms; [===] took effect in between, [===? may have at any time since, [xxx] never did.`,
		...lines.slice(-mostLines),
		`The longest order that is possible: ${numbers(order)}. After it fits none of: ${numbers(left)}.`,
	].join("\n");
}

function told(model: AnyModel, { input, ending }: Operation): string {
	const text = model.describe(input, ending.kind === "done" ? ending : null);
	return ending.kind === "failed" ? `${text} (failed)` : text;
}

function lastKnown(operations: readonly Operation[]): number {
	return Math.max(...operations.map(({ ending }) => ending.atMs));
}

function time(ms: number | undefined): string {
	return ms === undefined ? "?" : ms.toFixed(3);
}

/** Draws from when to when an operation lasted. */
function placer(operations: readonly Operation[]) {
	const from = operations[0]?.startedAtMs ?? 0;
	const span = Math.max(lastKnown(operations) - from, Number.MIN_VALUE);
	const column = (ms: number) =>
		Math.min(columns - 1, Math.floor(((ms - from) / span) * columns));
	return ({ startedAtMs, ending }: Operation) => {
		const start = column(startedAtMs);
		const known = ending.kind !== "unknown";
		const end = known ? column(ending.atMs) : columns - 1;
		const middle = (ending.kind === "failed" ? "x" : "=").repeat(end - start);
		return `${" ".repeat(start)}[${middle}${known ? "]" : "?"}`.padEnd(
			columns + 2,
		);
	};
}
