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
import { reasonOf } from "../errors.js";
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
	locate(path: DocumentPath): string;
	/** The place of the key itself in the mapping at `path`. */
	locateKey(path: DocumentPath, key: string): string;
}

/** Parses one document whose root is a mapping. Throws OperatorError "config" with the places of all mistakes. */
export function parseYaml(text: string, source: string): YamlText {
	const lines = new LineCounter();
	const place = (offset: number): string => {
		const { line, col } = lines.linePos(offset);
		return `${source}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
	};
	const fail = (offset: number, sentence: string) =>
		documentError(source, [`${place(offset)} ${sentence}`]);
	const document = parse(text, lines, fail);
	const errors = document.errors
		.slice(0, syntaxErrorLimit)
		.map(
			({ pos, code, message }) => `${place(pos[0])} ${explain(code, message)}`,
		);
	if (errors.length > 0) throw documentError(source, errors);
	const { contents } = document;
	if (contents === null || (isScalar(contents) && contents.value === null))
		throw fail(0, "the file is empty; `raftctl init` writes one to begin with");
	if (!isMap(contents))
		throw fail(
			contents.range?.[0] ?? 0,
			'the file must be a mapping, lines of "key: value"',
		);
	checkAliases(document, fail);
	return {
		value: toValue(document, fail),
		locate: (path) => place(offsetOf(document, path)),
		locateKey: (path, key) => place(keyOffset(document, path, key)),
	};
}

type Fail = (offset: number, sentence: string) => Error;

function parse(text: string, lines: LineCounter, fail: Fail): Document.Parsed {
	try {
		return parseDocument(text, {
			version: "1.2",
			lineCounter: lines,
			prettyErrors: false,
			uniqueKeys: true,
		});
	} catch (error) {
		// The parser is recursive: ten thousand brackets exhaust the stack.
		if (error instanceof RangeError) throw fail(0, "is nested too deeply");
		throw fail(0, `cannot be read as YAML: ${reasonOf(error)}`);
	}
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
		Alias: (_, alias) => {
			if (alias.resolve(document) !== undefined) return;
			throw fail(
				alias.range?.[0] ?? 0,
				`the alias *${alias.source} has no anchor &${alias.source} before it`,
			);
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
		// All aliases resolve (checked above), so what is left is one that grows or contains itself.
		throw fail(
			0,
			`aliases expand to more than ${aliasLimit} copies, or contain themselves; write the values out`,
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
