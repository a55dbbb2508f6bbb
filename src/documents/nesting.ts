import { Lexer, Parser } from "yaml";

/** Far deeper than any document of ours, far less than what exhausts a stack. */
const depthLimit = 200;

/**
 * Where a YAML text nests deeper than any real document, in characters, or null. Composing is recursive: ten thousand
 * brackets there end in a stack overflow, and V8 may abort the whole process when it meets one inside a regular
 * expression. Parsing is not, so this looks before.
 */
export function nestedTooDeeply(text: string): number | null {
	// Every level takes one of these: a file that has few of them needs no second look.
	if ((text.match(/[[{:?-]/g)?.length ?? 0) <= depthLimit) return null;
	const parser = new Parser();
	for (const lexeme of new Lexer().lex(text)) {
		// What is parsed is of no interest, but the parser goes on only when it is taken.
		for (const _ of parser.next(lexeme));
		if (parser.stack.length > depthLimit) return parser.offset;
	}
	return null;
}
