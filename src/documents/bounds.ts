import { Lexer, Parser } from "yaml";

/** Far deeper than any document of ours, far less than what exhausts a stack. */
const depthLimit = 200;

/**
 * Signs and scalars: several times what the largest cluster takes. The parser compares each key with all before it, and
 * looks for each alias through the whole text: a megabyte of either would keep it busy for an hour.
 */
const signLimit = 10_000;

interface Excess {
	/** In characters. */
	readonly offset: number;
	/** What it is there, as a predicate. */
	readonly sentence: string;
}

/**
 * Where a YAML text nests deeper, or says more, than any real document, or null. Composing is recursive: ten thousand
 * brackets there end in a stack overflow, and V8 may abort the whole process when it meets one inside a regular
 * expression. Parsing is not, so this looks before.
 */
export function excessOf(text: string): Excess | null {
	// Every level and every sign takes a letter: a small file needs no second look.
	if (text.length <= signLimit && openings(text) <= depthLimit) return null;
	const parser = new Parser();
	let offset = 0;
	let signs = 0;
	for (const lexeme of new Lexer().lex(text)) {
		// What is parsed is of no interest, but the parser goes on only when it is taken.
		for (const _ of parser.next(lexeme));
		if (parser.stack.length > depthLimit)
			return {
				offset: parser.offset,
				sentence: "this is nested too deeply to be meant",
			};
		signs += signsOf(lexeme);
		if (signs > signLimit)
			return { offset, sentence: "there is too much before this to be meant" };
		if (!marks.includes(lexeme)) offset += lexeme.length;
	}
	return null;
}

function openings(text: string): number {
	return text.match(/[[{:?-]/g)?.length ?? 0;
}

/** The lexer's own marks, which stand for no letter of the text. */
const marks = ["\x02", "\x18", "\x1f"];

/** Space and comments may be as long as they like. In quotes, each escape can be a mistake that costs as much as a sign. */
function signsOf(lexeme: string): number {
	if (/^[\s#]/.test(lexeme)) return 0;
	return lexeme.startsWith('"') ? lexeme.split("\\").length : 1;
}
