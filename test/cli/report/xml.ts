/** An element of an XML document; text between elements that is only white space is left out. */
export interface Element {
	readonly name: string;
	readonly attributes: Readonly<Record<string, string>>;
	readonly children: readonly Element[];
	readonly text: string;
}

const entities: Readonly<Record<string, string>> = {
	...{ amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" },
};

/** Characters that XML 1.0 can hold. */
const legal =
	/^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u;

/** Reads the part of XML that reports are made of, strictly: throws for what a CI system's parser would refuse. */
export function parseXml(document: string): Element {
	if (!legal.test(document))
		throw new Error("a character that XML cannot hold");
	const head = /^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/.exec(document);
	if (head === null) throw new Error("no XML declaration");
	const { element, at } = parseElement(document, head[0].length);
	if (document.slice(at).trim() !== "") throw new Error("more than one root");
	return element;
}

function parseElement(
	document: string,
	from: number,
): { readonly element: Element; readonly at: number } {
	const open = sticky(/<([a-z-]+)((?:\s+[a-zA-Z]+="[^"<]*")*)\s*(\/?)>/y);
	const [whole, name = "", list = "", empty] = open(document, from);
	const attributes = attributesOf(list);
	let at = from + whole.length;
	if (empty === "/")
		return { element: { name, attributes, children: [], text: "" }, at };
	const children: Element[] = [];
	let text = "";
	for (;;) {
		const next = document.indexOf("<", at);
		if (next === -1) throw new Error(`${name} is not closed`);
		text += document.slice(at, next);
		if (document.startsWith(`</${name}>`, next)) {
			const element = { name, attributes, children, text: decoded(text) };
			return { element, at: next + name.length + 3 };
		}
		const child = parseElement(document, next);
		children.push(child.element);
		at = child.at;
	}
}

function attributesOf(list: string): Record<string, string> {
	const pairs = [...list.matchAll(/([a-zA-Z]+)="([^"]*)"/g)].map(
		([, key = "", value = ""]) => [key, decoded(value)] as const,
	);
	if (new Set(pairs.map(([key]) => key)).size !== pairs.length)
		throw new Error("an attribute twice");
	return Object.fromEntries(pairs);
}

function decoded(text: string): string {
	return text.replace(/&([^;]*;)?/g, (all, body: string | undefined) => {
		const name = body?.slice(0, -1) ?? "";
		const code = /^#(\d+)$/.exec(name)?.[1];
		if (code !== undefined) return String.fromCodePoint(Number(code));
		const known = entities[name];
		if (known === undefined) throw new Error(`no entity: ${all}`);
		return known;
	});
}

function sticky(pattern: RegExp) {
	return (document: string, at: number): RegExpExecArray => {
		pattern.lastIndex = at;
		const match = pattern.exec(document);
		if (match === null)
			throw new Error(`no element at ${document.slice(at, at + 60)}`);
		return match;
	};
}
