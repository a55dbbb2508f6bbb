import type { z } from "zod";
import { type IssuePlace, issuePlaces } from "./problems.js";
import type { DocumentPath } from "./read-document.js";

export interface Salvage<T> {
	readonly value: T;
	/** Where a path into `value` lies in the document: entries of lists that could not be read are left out of it. */
	original(path: DocumentPath): DocumentPath;
}

/**
 * What can be read of a value despite these issues: unknown keys, wrong values and entries without what they need are
 * left out, so that defaults take their place. `standIns` replace required keys of the top level. Null when what is left
 * still does not fit.
 */
export function salvage<Schema extends z.ZodType>(
	value: Record<string, unknown>,
	schema: Schema,
	{
		issues,
		standIns,
	}: {
		readonly issues: readonly z.core.$ZodIssue[];
		readonly standIns: Readonly<Record<string, unknown>>;
	},
): Salvage<z.output<Schema>> | null {
	const copy = structuredClone(value);
	const places = issues.flatMap((issue) => issuePlaces(issue));
	const dropped = new Set<string>();
	for (const place of places) drop(copy, place, dropped);
	// Entries go last, and all at once: each that goes moves those behind it.
	const removed = removeEntries(copy, dropped);
	for (const [key, standIn] of Object.entries(standIns))
		if (!(key in copy)) copy[key] = standIn;
	const parsed = schema.safeParse(copy);
	if (!parsed.success) return null;
	return { value: parsed.data, original: (path) => originalOf(path, removed) };
}

/** Takes out a key; an entry of a list is only marked. */
function drop(
	root: Record<string, unknown>,
	{ path, missing }: IssuePlace,
	dropped: Set<string>,
): void {
	// Without what it needs, all of it is unreadable; the top level has stand-ins.
	const target = missing ? path.slice(0, -1) : path;
	const last = target.at(-1);
	if (last === undefined) return;
	const parent = valueAt(root, target.slice(0, -1));
	if (Array.isArray(parent)) dropped.add(JSON.stringify(target));
	else if (typeof parent === "object" && parent !== null)
		delete (parent as Record<string, unknown>)[String(last)];
}

type Removed = ReadonlyMap<string, ReadonlySet<number>>;

function removeEntries(
	root: Record<string, unknown>,
	dropped: ReadonlySet<string>,
): Removed {
	const removed = new Map<string, Set<number>>();
	for (const text of dropped) {
		const path = JSON.parse(text) as (string | number)[];
		const list = JSON.stringify(path.slice(0, -1));
		const positions = removed.get(list) ?? new Set();
		removed.set(list, positions.add(Number(path.at(-1))));
	}
	for (const [text, positions] of removed) {
		const list = valueAt(root, JSON.parse(text) as DocumentPath);
		if (!Array.isArray(list)) continue;
		const kept = list.filter((_, position) => !positions.has(position));
		list.splice(0, list.length, ...kept);
	}
	return removed;
}

function originalOf(path: DocumentPath, removed: Removed): DocumentPath {
	const original: (string | number)[] = [];
	for (const part of path) {
		const gone = removed.get(JSON.stringify(original));
		if (typeof part !== "number" || gone === undefined) {
			original.push(part);
			continue;
		}
		let position = -1;
		for (let kept = -1; kept < part; position += 1)
			if (!gone.has(position + 1)) kept += 1;
		original.push(position);
	}
	return original;
}

function valueAt(root: unknown, path: DocumentPath): unknown {
	return path.reduce<unknown>(
		(value, part) =>
			typeof value === "object" && value !== null
				? (value as Record<string | number, unknown>)[part]
				: undefined,
		root,
	);
}
