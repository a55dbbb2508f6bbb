import type { ChalkInstance } from "chalk";

/** As the user set it: for oclif's sake the variables are changed later on. */
const given: Readonly<Record<string, string | undefined>> = { ...process.env };

/**
 * Chalk for one stream. Chalk does not know NO_COLOR and looks at stdout only, so the level is decided here:
 * NO_COLOR wins, then FORCE_COLOR, then whether this stream is a terminal.
 */
export async function coloursFor(
	stream: { readonly isTTY?: boolean },
	environment = given,
): Promise<ChalkInstance> {
	const { Chalk } = await import("chalk");
	return new Chalk({ level: wantsColour(stream, environment) ? 1 : 0 });
}

/** Whether to colour what goes to `stream`. */
export function wantsColour(
	stream: { readonly isTTY?: boolean },
	environment: Readonly<Record<string, string | undefined>>,
): boolean {
	const { NO_COLOR, FORCE_COLOR, TERM } = environment;
	if (NO_COLOR !== undefined && NO_COLOR !== "") return false;
	if (FORCE_COLOR !== undefined)
		return FORCE_COLOR !== "0" && FORCE_COLOR !== "false";
	return stream.isTTY === true && TERM !== "dumb";
}
