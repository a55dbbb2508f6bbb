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
		problems,
		state: "nothing was touched",
		next: `correct ${problems.length === 1 ? "it" : "them"} and give the command again`,
	});
}
