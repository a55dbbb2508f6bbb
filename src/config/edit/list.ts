import { isCollection, isMap, isNode, isPair, type YAMLSeq } from "yaml";
import {
	before,
	endOfLine,
	isBlank,
	lineEnd,
	lineStart,
	nextLine,
	type Splice,
} from "./text.js";

/** Why an edit cannot be made in this text; a person can. */
export class Unwritable extends Error {}

/** What one entry of a list says, in both ways of writing lists. */
export interface EntryText {
	/** On one line, for a list in brackets. */
	readonly inline: string;
	/** Behind a dash: the lines of a mapping, or one line. */
	readonly lines: readonly string[];
}

/** Behind the last entry, as that is written. */
export function appended(
	text: string,
	list: YAMLSeq,
	entry: EntryText,
): readonly Splice[] {
	const last = list.items.at(-1);
	if (list.flow) return appendedInline(text, startOf(last), last, entry.inline);
	const position = list.items.length - 1;
	const dash = dashOf(list, position);
	const end = lineEnd(text, blockEnd(text, dash, last));
	const gap = /^-( +)/.exec(text.slice(dash, startOf(last)))?.[1] ?? " ";
	const indent = before(text, dash);
	const newline = endOfLine(text);
	const blank = isSpaced(text, list, position) ? newline : "";
	const lines = entry.lines.join(`${newline}${indent} ${gap}`);
	const by = `${blank}${newline}${indent}-${gap}${lines}`;
	return [{ from: end, to: end, by }];
}

/** Whether a blank line parts this entry from the one before. */
function isSpaced(text: string, list: YAMLSeq, position: number): boolean {
	if (position === 0) return false;
	const start = lineStart(text, dashOf(list, position));
	return (
		start > 0 && isBlank(text.slice(lineStart(text, start - 1), start - 1))
	);
}

function appendedInline(
	text: string,
	start: number,
	last: unknown,
	inline: string,
): readonly Splice[] {
	const end = contentEnd(last);
	const indent = before(text, start);
	const rest = text.slice(end, lineEnd(text, end));
	const after = /^[ \t]*(,?)[ \t]*(#.*)?$/.exec(rest);
	if (!isBlank(indent) || after === null)
		return [{ from: end, to: end, by: `, ${inline}` }];
	// One entry a line: the comma goes before the comment, the entry behind it.
	const comma = after[1] ?? "";
	const at = end + rest.length;
	const by = `${endOfLine(text)}${indent}${inline}${comma}`;
	if (comma === ",") return [{ from: at, to: at, by }];
	return at === end
		? [{ from: end, to: end, by: `,${by}` }]
		: [
				{ from: end, to: end, by: "," },
				{ from: at, to: at, by },
			];
}

/** Without the entry at `position`: with its line and what is said behind it there, but not what stands above. */
export function removed(
	text: string,
	list: YAMLSeq,
	position: number,
): readonly Splice[] {
	const item = list.items[position];
	if (list.items.length === 1) throw new Unwritable("it is the only one");
	if (list.flow) return removedInline(text, list.items, position);
	const dash = dashOf(list, position);
	const end = blockEnd(text, dash, item);
	const from = lineStart(text, dash);
	return [{ from, to: nextLine(text, end), by: "" }];
}

/** The same for entries in brackets or pairs in braces. */
export function removedInline(
	text: string,
	items: readonly unknown[],
	position: number,
): readonly Splice[] {
	const item = items[position];
	const previous = items[position - 1];
	const start = startOf(item);
	const end = contentEnd(item);
	const comma = commaAfter(text, end);
	const isLast = position === items.length - 1;
	const orphan = isLast && comma === null && previous !== undefined;
	const ofPrevious = orphan ? commaAfter(text, contentEnd(previous)) : null;
	const dangling: Splice[] =
		ofPrevious === null
			? []
			: [{ from: ofPrevious, to: ofPrevious + 1, by: "" }];
	const behind = comma === null ? end : comma + 1;
	const ownLine =
		isBlank(before(text, start)) &&
		/^[ \t]*(#.*)?$/.test(text.slice(behind, lineEnd(text, behind)));
	if (ownLine)
		return [
			...dangling,
			{ from: lineStart(text, start), to: nextLine(text, behind), by: "" },
		];
	if (comma !== null && comma > lineEnd(text, end))
		throw new Unwritable("it and its comma stand on different lines");
	if (comma === null || isLast) {
		// Behind the comma that stays, if there is one, and with the space between.
		const space = /[ \t]*$/.exec(text.slice(0, start))?.[0].length ?? 0;
		return [...dangling, { from: start - space, to: behind, by: "" }];
	}
	const space = /^[ \t]*/.exec(text.slice(behind))?.[0].length ?? 0;
	return [{ from: start, to: behind + space, by: "" }];
}

/** Only space, line ends and comments may stand before it. */
function commaAfter(text: string, offset: number): number | null {
	const found = /^(?:\s|#[^\n]*\n)*,/.exec(text.slice(offset));
	return found === null ? null : offset + found[0].length - 1;
}

/** Where the dash of an entry is. Throws Unwritable where it does not begin its line. */
function dashOf(list: YAMLSeq, position: number): number {
	const token = list.srcToken;
	const starts = token?.type === "block-seq" ? token.items : [];
	const dashes = starts.flatMap(({ start }) =>
		start.filter(({ type }) => type === "seq-item-ind"),
	);
	const offset = dashes[position]?.offset;
	if (offset === undefined) throw new Unwritable("its dash is not found");
	return offset;
}

/** Where a block entry ends: what it says, and comments below that are indented like it. */
function blockEnd(text: string, dash: number, item: unknown): number {
	const indent = before(text, dash);
	if (!isBlank(indent)) throw new Unwritable("its dash begins no line");
	let end = contentEnd(item);
	// A text in lines of its own ends behind the last of them.
	if (text[end - 1] === "\n") end -= 1;
	for (;;) {
		const next = nextLine(text, end);
		const comment = /^([ \t]*)#.*/.exec(text.slice(next, lineEnd(text, next)));
		if (comment === null || (comment[1]?.length ?? 0) <= indent.length)
			return end;
		end = lineEnd(text, next);
	}
}

export function startOf(item: unknown): number {
	const node = isPair(item) ? item.key : item;
	const start = isNode(node) ? node.range?.[0] : undefined;
	if (start === undefined) throw new Unwritable("its place is not known");
	return start;
}

/** Behind the last letter of what it says; the parser counts the comments and line ends behind a block as its own. */
export function contentEnd(item: unknown): number {
	if (isPair(item)) return contentEnd(item.value ?? item.key);
	if (isCollection(item) && !item.flow && item.items.length > 0)
		return contentEnd(item.items.at(-1));
	const end = isNode(item) ? item.range?.[1] : undefined;
	if (end === undefined) throw new Unwritable("its place is not known");
	return end;
}

/** A mapping without this pair. */
export function withoutPair(
	text: string,
	map: unknown,
	key: string,
): readonly Splice[] {
	if (!isMap(map)) throw new Unwritable("it is no mapping");
	const position = map.items.findIndex((pair) => String(pair.key) === key);
	if (position === -1) return [];
	if (map.flow) return removedInline(text, map.items, position);
	const start = startOf(map.items[position]);
	if (!isBlank(before(text, start)))
		throw new Unwritable(`${key} stands right behind the dash`);
	const to = nextLine(text, contentEnd(map.items[position]));
	return [{ from: lineStart(text, start), to, by: "" }];
}
