import type { Random } from "../sim/random.js";

/** Whatever YAML gives a meaning to, and what it gives none. */
const snippets = [
	"&a ",
	"*a",
	"*b ",
	"&a [*a]",
	"!!binary ",
	"!!set ",
	"!!str ",
	"!!int ",
	"!<tag:x> ",
	"!",
	"? ",
	": ",
	":",
	"- ",
	"-",
	"[",
	"]",
	"{",
	"}",
	",",
	"|\n",
	">-\n",
	"'",
	'"',
	"\\",
	'"\\u0000"',
	"\\xZZ",
	"#",
	"%YAML 1.1\n---\n",
	"%TAG ! !\n",
	"---\n",
	"...\n",
	"\t",
	"\r",
	"\r\n",
	"\n\n",
	"\ufeff",
	"\u0000",
	"\u001b[2J",
	"\u0085",
	"\u2028",
	"\ud800",
	"<<: ",
	"__proto__: ",
	"constructor: ",
	"toString",
	"null",
	"~",
	"true",
	".nan",
	".inf",
	"-0",
	"0x7fffffffffffffff",
	"18446744073709551615",
	"1e999",
	"0o777",
	"2001-12-14t21:59:43.10-05:00",
	"n1",
	"500ms",
	"99999999999999999999h",
	"127.0.0.1:99999",
	"[::1]:7",
	"@",
	"`",
];

type Mutation = (text: string, random: Random, other: string) => string;

const mutations: readonly Mutation[] = [
	insertSnippet,
	insertSnippet,
	insertSnippet,
	replaceValue,
	replaceValue,
	dropLine,
	repeatLine,
	swapLines,
	indent,
	cut,
	splice,
	(text) => text.replaceAll("\n", "\r\n"),
	(text) => `\ufeff${text}`,
	nest,
];

/** `text` changed in one to five ways; parts may come from `other`. */
export function mutatedYaml(
	text: string,
	random: Random,
	other: string,
): string {
	let result = text;
	for (let left = random.whole(1, 5); left > 0; left -= 1)
		result = random.pick(mutations)(result, random, other);
	return result;
}

function insertSnippet(text: string, random: Random): string {
	const at = random.below(text.length + 1);
	return `${text.slice(0, at)}${random.pick(snippets)}${text.slice(at)}`;
}

/** What follows a colon or a dash becomes something else. */
function replaceValue(text: string, random: Random): string {
	const places = [...text.matchAll(/[:-] ([^\n]*)/g)];
	if (places.length === 0) return text;
	const { index, 0: whole } = random.pick(places);
	const value = `${random.pick(snippets)}${random.chance(0.3) ? random.pick(snippets) : ""}`;
	return `${text.slice(0, index + 2)}${value}${text.slice(index + whole.length)}`;
}

function dropLine(text: string, random: Random): string {
	const lines = text.split("\n");
	lines.splice(random.below(lines.length), 1);
	return lines.join("\n");
}

function repeatLine(text: string, random: Random): string {
	const lines = text.split("\n");
	const line = random.pick(lines);
	lines.splice(random.below(lines.length + 1), 0, line);
	return lines.join("\n");
}

function swapLines(text: string, random: Random): string {
	return random.shuffle(text.split("\n")).join("\n");
}

function indent(text: string, random: Random): string {
	const lines = text.split("\n");
	const at = random.below(lines.length);
	lines[at] = `${" ".repeat(random.whole(1, 4))}${lines[at]}`;
	return lines.join("\n");
}

function cut(text: string, random: Random): string {
	return text.slice(0, random.below(text.length + 1));
}

function splice(text: string, random: Random, other: string): string {
	return `${cut(text, random)}${other.slice(random.below(other.length + 1))}`;
}

function nest(text: string, random: Random): string {
	const at = random.below(text.length + 1);
	const depth = random.pick([3, 30, 300]);
	const opening = random.pick(["[", "{a: ", "- ", "? "]);
	return `${text.slice(0, at)}${opening.repeat(depth)}${text.slice(at)}`;
}
