import { createInterface } from "node:readline/promises";
import { OperatorError } from "../errors.js";
import { orEndOfInput } from "./end-of-input.js";

/** Throws OperatorError "usage" unless what was typed is the cluster's name. */
export function requireName(typed: string, name: string, where: string): void {
	if (typed === name) return;
	throw new OperatorError(
		"usage",
		`${where}: "${typed}" is not the cluster's name, ${name}`,
		{
			state: "nothing was touched",
			next: "look whether this is the cluster that you mean",
		},
	);
}

/**
 * Has the cluster's name typed, as a yes is too easily given. False when there is no terminal. Throws OperatorError
 * "refused" for another name, "interrupted" for Ctrl-C.
 */
export async function askForName(
	what: string,
	name: string,
	signal: AbortSignal,
): Promise<boolean> {
	if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
	const lines = createInterface({
		...{ input: process.stdin, output: process.stderr },
	});
	try {
		const question = `${what}\nType the cluster's name to go on: `;
		const typed = await orEndOfInput(
			lines.question(question, { signal }),
		).catch((cause: unknown) => {
			throw new OperatorError("interrupted", "interrupted at a question", {
				state: "nothing was touched",
				cause,
			});
		});
		if (typed.trim() === name) return true;
	} finally {
		lines.close();
	}
	throw new OperatorError("refused", "that is not the cluster's name", {
		state: "nothing was touched",
	});
}
