/** Puts `by` where the letters from `from` to `to` are. */
export interface Splice {
	readonly from: number;
	readonly to: number;
	readonly by: string;
}

/** Splices must not overlap; of two at one place the first given stands first. */
export function spliced(text: string, splices: readonly Splice[]): string {
	const ordered = [...splices].sort((a, b) => a.from - b.from || a.to - b.to);
	let result = "";
	let at = 0;
	for (const { from, to, by } of ordered) {
		result += text.slice(at, from) + by;
		at = to;
	}
	return result + text.slice(at);
}

export function lineStart(text: string, offset: number): number {
	return text.lastIndexOf("\n", offset - 1) + 1;
}

/** Where the line's own end begins: at "\r\n", "\n", or the end of the text. */
export function lineEnd(text: string, offset: number): number {
	const newline = text.indexOf("\n", offset);
	if (newline === -1) return text.length;
	return text[newline - 1] === "\r" && newline > offset ? newline - 1 : newline;
}

/** Where the next line begins, or the end of the text. */
export function nextLine(text: string, offset: number): number {
	const newline = text.indexOf("\n", offset);
	return newline === -1 ? text.length : newline + 1;
}

/** What stands before `offset` on its line. */
export function before(text: string, offset: number): string {
	return text.slice(lineStart(text, offset), offset);
}

export function isBlank(text: string): boolean {
	return /^[ \t\r]*$/.test(text);
}

/** How lines end here. */
export function endOfLine(text: string): string {
	return /\r\n/.test(text) ? "\r\n" : "\n";
}
