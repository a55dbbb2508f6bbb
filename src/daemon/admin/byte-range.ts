/** Which bytes of a file are wanted: from `start` on, up to before `end`. */
export interface ByteRange {
	readonly start: number;
	readonly end: number;
}

/**
 * What a request asks for of a file of `bytes` bytes whose ETag is `etag` (RFC 9110, section 14). Null for the whole
 * file: nothing is asked for, or in words that one may pass over, or for another file than this (If-Range), so that whoever
 * goes on never joins the parts of two files.
 */
export function rangeOf(
	headers: {
		readonly range?: string | undefined;
		readonly "if-range"?: string | string[] | undefined;
	},
	file: { readonly bytes: number; readonly etag: string },
): ByteRange | null | "unsatisfiable" {
	const { range, "if-range": condition } = headers;
	if (range === undefined) return null;
	if (condition !== undefined && condition !== file.etag) return null;
	const parts = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim());
	if (parts === null) return null;
	const [, first = "", last = ""] = parts;
	if (first === "") return last === "" ? null : suffix(Number(last), file);
	const start = Number(first);
	if (last !== "" && Number(last) < start) return null;
	if (start >= file.bytes) return "unsatisfiable";
	const end = last === "" ? file.bytes : Number(last) + 1;
	return { start, end: Math.min(end, file.bytes) };
}

function suffix(
	length: number,
	{ bytes }: { readonly bytes: number },
): ByteRange | "unsatisfiable" {
	if (length === 0 || bytes === 0) return "unsatisfiable";
	return { start: Math.max(0, bytes - length), end: bytes };
}
