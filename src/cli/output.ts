/** How results are printed. Results go to stdout, what a person reads on the way to stderr. */
export const outputs = ["table", "json", "yaml", "ndjson"] as const;
export type Output = (typeof outputs)[number];

/** What decides how an error looks; known even when the flags could not be parsed. */
export interface Presentation {
	readonly output: Output;
	readonly verbose: boolean;
}

/** Reads the output flags from raw arguments, up to "--". What cannot be understood counts as a table. */
export function presentationOf(argv: readonly string[]): Presentation {
	const end = argv.indexOf("--");
	const flags = end === -1 ? argv : argv.slice(0, end);
	let output: Output = "table";
	for (const [position, flag] of flags.entries()) {
		if (flag === "--json") output = "json";
		const value =
			flag === "-o" || flag === "--output"
				? flags[position + 1]
				: (/^--output=(.*)$/.exec(flag)?.[1] ?? /^-o=?(.+)$/.exec(flag)?.[1]);
		output = outputs.find((known) => known === value) ?? output;
	}
	return { output, verbose: flags.includes("--verbose") };
}

/** One value as the whole of what a command says on stdout. */
export async function serialise(
	value: object,
	output: Exclude<Output, "table">,
): Promise<string> {
	if (output === "json") return `${JSON.stringify(value, null, 2)}\n`;
	if (output === "ndjson") return `${JSON.stringify(value)}\n`;
	const { stringify } = await import("yaml");
	return stringify(value, { aliasDuplicateObjects: false });
}
