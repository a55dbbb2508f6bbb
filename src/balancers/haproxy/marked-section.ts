/** A cluster's part of a file that others write, too, between two marks. Pure. */

/** Null when there is none. Throws a plain Error when only one of the marks is there. */
export function sectionIn(text: string, cluster: string): string | null {
	const found = boundsOf(text, cluster);
	return found === null ? null : text.slice(found.contentStart, found.end);
}

/** The file with this section in the place of the one there is, or at its end. Every other byte stays. */
export function withSection(
	text: string,
	cluster: string,
	section: string,
): string {
	const marked = `${beginMark(cluster)}\n${section}${endMark(cluster)}\n`;
	const found = boundsOf(text, cluster);
	if (found !== null)
		return text.slice(0, found.start) + marked + text.slice(found.after);
	const gap = text === "" ? "" : text.endsWith("\n") ? "\n" : "\n\n";
	return `${text}${gap}${marked}`;
}

export function beginMark(cluster: string): string {
	return `# BEGIN raftctl ${cluster}: written by \`raftctl balancer apply\`; changes in here are lost.`;
}

export function endMark(cluster: string): string {
	return `# END raftctl ${cluster}`;
}

interface Bounds {
	readonly start: number;
	readonly contentStart: number;
	/** Where the content ends, and the last mark begins. */
	readonly end: number;
	readonly after: number;
}

function boundsOf(text: string, cluster: string): Bounds | null {
	const begin = lineIn(text, (line) =>
		line.startsWith(`# BEGIN raftctl ${cluster}:`),
	);
	const end = lineIn(text, (line) => line === endMark(cluster));
	if (begin === null && end === null) return null;
	if (begin === null || end === null || end.start < begin.after)
		throw new Error(
			`only one of the marks of raftctl's part for ${cluster} is there, or they are in the wrong order`,
		);
	return {
		start: begin.start,
		contentStart: begin.after,
		end: end.start,
		after: end.after,
	};
}

function lineIn(
	text: string,
	fits: (line: string) => boolean,
): { readonly start: number; readonly after: number } | null {
	let start = 0;
	while (start < text.length) {
		const newline = text.indexOf("\n", start);
		const after = newline === -1 ? text.length : newline + 1;
		const line = text.slice(start, newline === -1 ? after : newline);
		if (fits(line.trimEnd())) return { start, after };
		start = after;
	}
	return null;
}
