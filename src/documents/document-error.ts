import { OperatorError } from "../errors.js";

/** The error for a document with these mistakes, each already with its place. */
export function documentError(
	source: string,
	problems: readonly string[],
): OperatorError {
	const name = source === "-" ? "the document on stdin" : source;
	const count =
		problems.length === 1 ? "a mistake" : `${problems.length} mistakes`;
	return new OperatorError("config", `${name} has ${count}`, {
		problems: problems.map(printable),
		state: "nothing was touched",
		next: `correct ${problems.length === 1 ? "it" : "them"} and give the command again`,
	});
}

/** A key, or what the parser repeats of the text, can be as long as the file. */
const problemLimit = 1_000;

/** One line, and nothing that would move the cursor, or worse, of whoever reads it in a terminal. */
function printable(problem: string): string {
	const clipped =
		problem.length > problemLimit
			? `${problem.slice(0, problemLimit)}...`
			: problem;
	return clipped.replace(
		/\p{Cc}|\p{Surrogate}|\p{Zl}|\p{Zp}|\p{Bidi_Control}/gu,
		(letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
	);
}
