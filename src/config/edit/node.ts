import {
	isAlias,
	isMap,
	isScalar,
	Scalar,
	type YAMLMap,
	type YAMLSeq,
} from "yaml";
import type { NodeEntry } from "../inventory.js";
import {
	appended,
	contentEnd,
	startOf,
	Unwritable,
	withoutPair,
} from "./list.js";
import {
	inlineText,
	meaningOf,
	type NodeKey,
	nodeKeys,
	pairText,
	pairTexts,
	type Quoting,
	scalarText,
	styleOf,
	valueText,
	type Wording,
} from "./node-text.js";
import { before, endOfLine, lineEnd, type Splice } from "./text.js";

/** A node behind the last one, in the style of its neighbours. */
export function addedNode(
	text: string,
	list: YAMLSeq,
	wish: Omit<Wording, "style">,
): readonly Splice[] {
	const bare = list.items.findLast(isScalar);
	const asBare = { ...wish, style: styleOf(bare, text) };
	const isBare = bare !== undefined && pairTexts(asBare).length === 1;
	// A bare id where that says it all and others are; else as the last mapping is, where there is one.
	const model = isBare ? bare : (list.items.findLast(isMap) ?? bare);
	const wording = { ...wish, style: styleOf(model, text) };
	const inBraces = list.flow || !isMap(model) || model.flow;
	const inline = inlineText(wording);
	const lines = inBraces ? [inline] : pairTexts(wording);
	return appended(text, list, { inline, lines });
}

export interface NodeChange {
	readonly from: NodeEntry;
	readonly to: NodeEntry;
	/** What `to` is without its keys. */
	readonly plain: NodeEntry;
	readonly directory: string;
}

/** The node where it stands, as another; what stays the same is not touched. */
export function changedNode(
	text: string,
	item: unknown,
	{ from, to, plain, directory }: NodeChange,
): readonly Splice[] {
	const wording = { node: to, plain, directory, style: styleOf(item, text) };
	if (isScalar(item)) return [replaced(item, inlineText(wording))];
	if (!isMap(item)) throw new Unwritable("it is written as an alias");
	const splices: Splice[] = [];
	const missing: NodeKey[] = [];
	for (const key of nodeKeys) {
		const meaning = meaningOf(to, key);
		const value: unknown = (item as YAMLMap).get(key, true);
		if (value === undefined) {
			if (meaning !== meaningOf(plain, key)) missing.push(key);
		} else if (meaning === null) splices.push(...withoutPair(text, item, key));
		else if (meaning !== meaningOf(from, key))
			splices.push(replaced(value, valueText(wording, key)));
	}
	return [...splices, ...inserted(text, item as YAMLMap, wording, missing)];
}

/** Pairs behind the id's. */
function inserted(
	text: string,
	map: YAMLMap,
	wording: Wording,
	keys: readonly NodeKey[],
): readonly Splice[] {
	if (keys.length === 0) return [];
	const pair = map.items.find(({ key }) => String(key) === "id");
	const end = contentEnd(pair);
	const pairs = keys.map((key) => pairText(wording, key));
	if (map.flow) return [{ from: end, to: end, by: `, ${pairs.join(", ")}` }];
	const at = lineEnd(text, end);
	const column = before(text, startOf(map.items[0])).length;
	const newline = `${endOfLine(text)}${" ".repeat(column)}`;
	return [{ from: at, to: at, by: newline + pairs.join(newline) }];
}

/** A value that stands alone, or stands for another, as this one. */
export function replaced(value: unknown, by: string): Splice {
	const isBlock =
		isScalar(value) &&
		(value.type === Scalar.BLOCK_FOLDED || value.type === Scalar.BLOCK_LITERAL);
	if (isBlock || !(isScalar(value) || isAlias(value)) || !value.range)
		throw new Unwritable("it is written in a way that only a person can edit");
	const [from, to] = value.range;
	return { from, to, by };
}

export function textLike(value: unknown, by: string): string {
	const type = isScalar(value) ? value.type : undefined;
	const quoting: Quoting =
		type === Scalar.QUOTE_DOUBLE
			? "double"
			: type === Scalar.QUOTE_SINGLE
				? "single"
				: "plain";
	return scalarText(by, quoting);
}
