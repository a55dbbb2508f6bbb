import { nearest } from "../documents/nearest.js";

/** The known word that was meant: the nearest, or the only one that begins so. */
export function likely(word: string, known: readonly string[]): string | null {
	const near = nearest(word, known);
	if (near !== null || word.length < 2) return near;
	const [only, ...others] = known.filter((one) => one.startsWith(word));
	return only === undefined || others.length > 0 ? null : only;
}

/** The end of a sentence; empty for null. */
export function didYouMean(word: string | null): string {
	return word === null ? "" : `; did you mean ${quoted(word)}?`;
}

function quoted(word: string): string {
	return word.startsWith("--") ? word : `"${word}"`;
}
