/**
 * The command lines in a shell script, as words; pipes, lists, redirections, substitutions and comments taken away. For
 * documentation: enough of a shell's grammar for examples, and placeholders such as <node> are words.
 */
export function commandLines(script: string): readonly (readonly string[])[] {
	const lines: string[][] = [[]];
	const token =
		/\\\n|(?<space>[ \t]+)|(?<comment>#[^\n]*)|(?<redirection>\d?>>?(?:&\d|\s*[^\s;&|)]+))|(?<placeholder><[a-z][\w-]*>)|(?<end>\n|;|&&|\|\||\||&|<\(|\$\(|<|\(|\))|"(?<double>(?:\\.|[^"\\])*)"|'(?<single>[^']*)'|\\(?<escaped>.)|(?<plain>[^\s"'\\;&|()<>]+|\$)/gs;
	let open = false;
	const add = (text: string) => {
		const words = lines.at(-1) as string[];
		if (open) words[words.length - 1] += text;
		else words.push(text);
		open = true;
	};
	for (const { groups = {} } of script.matchAll(token)) {
		const { comment, end, placeholder, redirection } = groups;
		const text =
			groups.double ?? groups.single ?? groups.escaped ?? groups.plain;
		if (comment !== undefined && open) add(comment);
		else if (placeholder !== undefined) add(placeholder);
		else if (text !== undefined) add(text);
		else open = false;
		if (end !== undefined && redirection === undefined) lines.push([]);
	}
	return lines.filter((words) => words.length > 0);
}

/** Those of one program, without its name; variables before it are passed over. */
export function linesOf(
	program: string,
	script: string,
): readonly (readonly string[])[] {
	return commandLines(script).flatMap((words) => {
		const at = words.findIndex((word) => !/^\w+=/.test(word));
		return words[at] === program ? [words.slice(at + 1)] : [];
	});
}
