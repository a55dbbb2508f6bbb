import {
	type Document,
	isMap,
	isNode,
	isScalar,
	LineCounter,
	parseDocument,
	visit,
	type YAMLMap,
} from "yaml";
import { excessOf } from "./bounds.js";
import { documentError } from "./document-error.js";
import type { DocumentPath } from "./read-document.js";

/** So many times may an alias be expanded: a few lines of YAML can otherwise grow to gigabytes. */
const aliasLimit = 100;

/** After so many syntax errors the rest only repeats the first. */
const syntaxErrorLimit = 20;

/** A YAML text, parsed, with the places of its parts. */
export interface YamlText {
	/** A mapping of plain JavaScript values. */
	readonly value: Record<string, unknown>;
	/** Where the value at `path` begins, or the nearest thing around it, in characters. */
	offsetOf(path: DocumentPath): number;
	/** The same of the key itself in the mapping at `path`. */
	offsetOfKey(path: DocumentPath, key: string): number;
	/** "cluster.yaml:4:11" */
	placeOf(offset: number): string;
}

/** Parses one document whose root is a mapping. Throws OperatorError "config" with the places of all mistakes. */
export function parseYaml(text: string, source: string): YamlText {
	const lines = new LineCounter();
	const place = (offset: number): string => {
		const { line, col } = lines.linePos(offset);
		const name = source === "-" ? "stdin" : source;
		return `${name}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
	};
	const fail = (offset: number, sentence: string) =>
		documentError(source, [`${place(offset)} ${sentence}`]);
	const document = parse(text, lines, fail);
	const errors = syntaxErrors(document, place);
	if (errors.length > 0) throw documentError(source, errors);
	const { contents } = document;
	if (contents === null || (isScalar(contents) && contents.value === null))
		throw fail(0, "there is nothing in it");
	if (!isMap(contents))
		throw fail(
			contents.range?.[0] ?? 0,
			'the file must be a mapping, lines of "key: value"',
		);
	checkAliases(document, fail);
	return {
		value: toValue(document, fail),
		offsetOf: (path) => offsetOf(document, path),
		offsetOfKey: (path, key) => keyOffset(document, path, key),
		placeOf: place,
	};
}

type Fail = (offset: number, sentence: string) => Error;

function parse(text: string, lines: LineCounter, fail: Fail): Document.Parsed {
	const excess = excessOf(text);
	if (excess !== null) {
		for (const { index } of text.slice(0, excess.offset).matchAll(/^/gm))
			lines.addNewLine(index);
		throw fail(excess.offset, excess.sentence);
	}
	return parseDocument(text, {
		version: "1.2",
		lineCounter: lines,
		prettyErrors: false,
		// Its warnings go to the process, past whoever shows the mistakes.
		logLevel: "error",
		uniqueKeys: true,
	});
}

/** Each once: a parser that lost its way repeats itself. */
function syntaxErrors(
	document: Document.Parsed,
	place: (offset: number) => string,
): string[] {
	const errors = document.errors.map(
		({ pos, code, message }) => `${place(pos[0])} ${explain(code, message)}`,
	);
	return [...new Set(errors)].slice(0, syntaxErrorLimit);
}

function explain(code: string, message: string): string {
	switch (code) {
		case "DUPLICATE_KEY":
			return "this key is there twice; keep one of them";
		case "TAB_AS_INDENT":
			return "a tab indents this line; YAML wants spaces";
		case "MULTIPLE_DOCS":
			return 'a second document begins here ("---"); keep one in a file';
		default:
			return `is not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
	}
}

function checkAliases(document: Document.Parsed, fail: Fail): void {
	visit(document, {
		Alias: (_, alias, ancestors) => {
			const anchored = alias.resolve(document);
			const reason =
				anchored === undefined
					? `has no anchor &${alias.source} before it`
					: ancestors.includes(anchored)
						? "stands inside what it repeats"
						: null;
			if (reason === null) return;
			const [offset] = alias.range ?? [0];
			throw fail(offset, `the alias *${alias.source} ${reason}`);
		},
	});
}

function toValue(
	document: Document.Parsed,
	fail: Fail,
): Record<string, unknown> {
	try {
		return document.toJS({ maxAliasCount: aliasLimit });
	} catch {
		// All aliases resolve and none contains itself (checked above), so what is left is growth.
		throw fail(
			0,
			`aliases expand to more than ${aliasLimit} copies; write the values out`,
		);
	}
}

function offsetOf(document: Document.Parsed, path: DocumentPath): number {
	for (let length = path.length; length >= 0; length -= 1) {
		const node: unknown =
			length === 0
				? document.contents
				: document.getIn(path.slice(0, length), true);
		if (isNode(node) && node.range) return node.range[0];
	}
	return 0;
}

function keyOffset(
	document: Document.Parsed,
	path: DocumentPath,
	key: string,
): number {
	const map =
		path.length === 0 ? document.contents : document.getIn(path, true);
	if (!isMap(map)) return offsetOf(document, path);
	const pair = (map as YAMLMap).items.find(
		(item) => isScalar(item.key) && String(item.key.value) === key,
	);
	return isScalar(pair?.key) && pair.key.range
		? pair.key.range[0]
		: offsetOf(document, path);
}
