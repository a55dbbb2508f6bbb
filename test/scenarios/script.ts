/**
 * A scenario's text: comments (`#`), commands (`> elapse n1 1000`), and beneath each command what it made happen, up to
 * the next command, comment or empty line.
 */
export type Part =
	| { readonly kind: "text"; readonly line: string }
	| {
			readonly kind: "command";
			readonly command: string;
			readonly lineNumber: number;
			readonly output: readonly string[];
	  };

export function parseScript(text: string): Part[] {
	const parts: Part[] = [];
	let output: string[] | null = null;
	for (const [at, line] of text.trimEnd().split("\n").entries()) {
		if (line.startsWith("> ")) {
			output = [];
			const command = line.slice(2).trim();
			parts.push({ kind: "command", command, lineNumber: at + 1, output });
		} else if (line === "" || line.startsWith("#")) {
			output = null;
			parts.push({ kind: "text", line });
		} else if (output === null) {
			throw new Error(`line ${at + 1} belongs to no command: ${line}`);
		} else output.push(line);
	}
	return parts;
}

export function renderScript(parts: readonly Part[]): string {
	const lines = parts.flatMap((part) =>
		part.kind === "text" ? [part.line] : [`> ${part.command}`, ...part.output],
	);
	return `${lines.join("\n")}\n`;
}

/** The scenario's own title: its first comment. */
export function titleOf(parts: readonly Part[]): string {
	const first = parts[0];
	if (first?.kind !== "text" || !first.line.startsWith("# "))
		throw new Error("a scenario begins with a comment that says what it shows");
	return first.line.slice(2);
}

/** How much of what went before a failure is told with it. */
const toldLines = 24;

/** Runs the commands; `perform` tells what each made happen. Stops at the first that throws, and says where. */
export function play(
	parts: readonly Part[],
	perform: (command: string) => string[],
): Part[] {
	const told: string[] = [];
	return parts.map((part) => {
		if (part.kind === "text") return part;
		told.push(`> ${part.command}`);
		try {
			const output = perform(part.command);
			told.push(...output);
			return { ...part, output };
		} catch (cause) {
			const where = `line ${part.lineNumber}: ${(cause as Error).message}`;
			throw new Error([where, ...told.slice(-toldLines)].join("\n  "), {
				cause,
			});
		}
	});
}
