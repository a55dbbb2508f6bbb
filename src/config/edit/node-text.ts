import { isAbsolute, relative, sep } from "node:path";
import { isMap, isScalar, parse, Scalar, type YAMLMap } from "yaml";
import type { NodeEntry } from "../inventory.js";

/** The keys of a node in the cluster file, in the order of its reference. */
export const nodeKeys = [
	"id",
	"host",
	"role",
	"peer",
	"client",
	"admin",
	"agent",
	"data",
] as const;
export type NodeKey = (typeof nodeKeys)[number];

/** What the key means, with a data directory absolute; null where there is none. */
export function meaningOf(node: NodeEntry, key: NodeKey): string | null {
	return key === "data" ? node.dataDirectory : node[key];
}

export type Quoting = "plain" | "single" | "double";

/** A neighbour's way of writing, to be followed. */
export interface Style {
	readonly key: Quoting;
	readonly value: Quoting;
	/** A space inside the braces of a mapping. */
	readonly padded: boolean;
	/** The keys that the neighbour says, whether or not they could be left out. */
	readonly keys: ReadonlySet<string>;
	/** The neighbour's data directory is absolute. */
	readonly absoluteData: boolean;
}

const plainStyle: Style = {
	...{ key: "plain", value: "plain", padded: true },
	...{ keys: new Set<string>(), absoluteData: false },
};

export function styleOf(item: unknown, text: string): Style {
	if (isScalar(item))
		return { ...plainStyle, key: quotingOf(item), value: quotingOf(item) };
	if (!isMap(item)) return plainStyle;
	const map = item as YAMLMap;
	const start = map.range?.[0] ?? 0;
	const data = map.get("data");
	return {
		key: quotingOf(map.items[0]?.key),
		value: quotingOf(map.get("id", true)),
		padded: !map.flow || /\s/.test(text[start + 1] ?? ""),
		keys: new Set(map.items.map(({ key }) => String(key))),
		absoluteData: typeof data === "string" && isAbsolute(data),
	};
}

function quotingOf(node: unknown): Quoting {
	if (!isScalar(node)) return "plain";
	if (node.type === Scalar.QUOTE_DOUBLE) return "double";
	return node.type === Scalar.QUOTE_SINGLE ? "single" : "plain";
}

/** Text that reads as this string, in a list in brackets, too. */
export function scalarText(value: string, quoting: Quoting): string {
	if (quoting === "single" && /^[^\p{Cc}\p{Zl}\p{Zp}]*$/u.test(value))
		return `'${value.replaceAll("'", "''")}'`;
	return quoting === "plain" && isPlain(value) ? value : JSON.stringify(value);
}

function isPlain(value: string): boolean {
	try {
		const read: unknown = parse(`[{k: ${value}}]`, { logLevel: "silent" });
		return JSON.stringify(read) === JSON.stringify([{ k: value }]);
	} catch {
		return false;
	}
}

export interface Wording {
	/** The node, and what one is whose keys are left out. */
	readonly node: NodeEntry;
	readonly plain: NodeEntry;
	readonly style: Style;
	/** What relative paths start at. */
	readonly directory: string;
}

export function valueText(
	{ node, style, directory }: Wording,
	key: NodeKey,
): string {
	const meaning = meaningOf(node, key) ?? "";
	const value =
		key === "data" && !style.absoluteData
			? relativeIfBelow(meaning, directory)
			: meaning;
	return scalarText(value, style.value);
}

function relativeIfBelow(path: string, directory: string): string {
	const short = relative(directory, path);
	const isBelow =
		short !== "" && !short.startsWith(`..${sep}`) && short !== "..";
	return isBelow && !isAbsolute(short) ? short : path;
}

/** "key: value" for every key that has to be said, or that the neighbour says. */
export function pairTexts(wording: Wording): readonly string[] {
	const { node, plain, style } = wording;
	return nodeKeys
		.filter((key) => {
			const meaning = meaningOf(node, key);
			if (meaning === null) return false;
			return (
				key === "id" || style.keys.has(key) || meaning !== meaningOf(plain, key)
			);
		})
		.map((key) => pairText(wording, key));
}

export function pairText(wording: Wording, key: NodeKey): string {
	return `${scalarText(key, wording.style.key)}: ${valueText(wording, key)}`;
}

/** On one line: the bare id where that says it all, else a mapping in braces. */
export function inlineText(wording: Wording): string {
	const pairs = pairTexts(wording);
	if (pairs.length === 1 && wording.style.keys.size === 0)
		return valueText(wording, "id");
	const space = wording.style.padded ? " " : "";
	return `{${space}${pairs.join(", ")}${space}}`;
}
