/**
 * One word for a shell that does not know it: sh, bash, dash, zsh and fish read it alike. Inside single quotes fish takes a
 * backslash before another, so both special letters stand outside. Throws for a NUL, which no argument can hold.
 */
export function quote(word: string): string {
	if (word.includes("\0"))
		throw new RangeError("an argument must not contain a NUL");
	if (/^[A-Za-z0-9_/.-][A-Za-z0-9_/.:,@%+=-]*$/.test(word)) return word;
	return `'${word.replaceAll(/['\\]/g, (letter) => `'\\${letter}'`)}'`;
}

/** What the other side's login shell is given for these arguments. */
export function commandLine(argv: readonly string[]): string {
	return argv.map(quote).join(" ");
}
