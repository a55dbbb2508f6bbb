import { OperatorError } from "../../errors.js";
import type { Command } from "./command.js";
import type { Destination } from "./destination.js";
import { unreachable } from "./failures.js";

export function tooSlow(
	{ name }: { readonly name: string },
	{ argv, timeoutMs }: Command,
): OperatorError {
	return new OperatorError(
		"timeout",
		`${argv[0]} did not end within ${timeoutMs} ms`,
		{ node: name, state: "It was ended." },
	);
}

export function tooMuch({ argv, outputLimitBytes }: Command): OperatorError {
	return new OperatorError(
		"unreachable",
		`${argv[0]} wrote more than ${outputLimitBytes} bytes`,
		{ state: "It was ended." },
	);
}

export function killed(
	destination: Destination,
	{ argv }: Command,
	signal: string,
): OperatorError {
	return unreachable(destination, `${argv[0]} was ended by ${signal}`, {
		state: "whether that was done to its end is not known",
	});
}

/** The shell, or what should have given the command another account, ended before it. */
export function notBegun(
	destination: Destination,
	said: readonly string[],
): OperatorError {
	const words = said.find((text) => text !== "");
	return unreachable(
		destination,
		`${destination.name} did not let ${destination.user} run a command`,
		{
			...(words === undefined
				? {}
				: { problems: words.split("\n").slice(0, 5) }),
			next: isMissingAccount(words)
				? "set the host up: raftctl deploy"
				: "look whether the account has a shell, and what sudo allows it (templates/sudoers): sudo -l, there",
		},
	);
}

/** As sudo and runuser say it: nobody has deployed there yet. */
function isMissingAccount(words = ""): boolean {
	return /unknown user|user \S+ does not exist/.test(words);
}
