/**
 * A whole HTTP/1.1 request for the state machine, as nearly every client writes it. Whatever differs from that in the
 * least is not judged here: Node's server reads it.
 */
export interface PlainRequest {
	readonly method: "GET" | "POST";
	readonly path: "/v1/command" | "/v1/query";
	/** What follows the question mark. */
	readonly options: string;
	/** A view of what arrived. */
	readonly body: Buffer;
}

interface Head extends Omit<PlainRequest, "body"> {
	/** As it arrived, with the empty line. */
	readonly bytes: Buffer;
	readonly bodyBytes: number;
}

const maxHeadBytes = 4096;
const requestLine =
	/^(GET|POST) (\/v1\/(?:command|query))(?:\?([!-"$-~]*))? HTTP\/1\.1$/;
/** One way to match and no other: where several share the blanks of a value, a header of blanks takes the thread for long. */
const headerLine = /^([\w!#$%&'*+.^`|~-]+):([\t -~]*)$/;
const wholeNumber = /^\d{1,9}$/;
/** They change what follows, or need an answer of their own. */
const beyondPlain = new Set([
	"expect",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
]);

/** Reads the requests of one connection. */
export class PlainRequestReader {
	/** The last one: most clients send the same again and again. */
	#last: Head | null = null;

	/** The request that `chunk` is, from its first byte to its last; null for anything else. */
	read(chunk: Buffer): PlainRequest | null {
		const head = this.#sameHead(chunk) ?? this.#newHead(chunk);
		if (head === null) return null;
		const { bytes, bodyBytes, method, path, options } = head;
		if (chunk.length !== bytes.length + bodyBytes) return null;
		return { method, path, options, body: chunk.subarray(bytes.length) };
	}

	#sameHead(chunk: Buffer): Head | null {
		if (this.#last === null) return null;
		const { bytes } = this.#last;
		const { length } = bytes;
		const isSame =
			chunk.length >= length &&
			chunk.compare(bytes, 0, length, 0, length) === 0;
		return isSame ? this.#last : null;
	}

	#newHead(chunk: Buffer): Head | null {
		const end = chunk.indexOf("\r\n\r\n");
		if (end < 0 || end > maxHeadBytes) return null;
		const plain = plainHead(chunk.toString("latin1", 0, end));
		if (plain === null) return null;
		// A copy: the chunk is the socket's.
		const bytes = Buffer.from(chunk.subarray(0, end + 4));
		this.#last = { ...plain, bytes };
		return this.#last;
	}
}

function plainHead(text: string): Omit<Head, "bytes"> | null {
	const [first = "", ...lines] = text.split("\r\n");
	const request = requestLine.exec(first);
	if (request === null) return null;
	const headers = plainHeaders(lines);
	if (headers === null) return null;
	const method = request[1] as Head["method"];
	const path = request[2] as Head["path"];
	const { bodyBytes } = headers;
	// A command is posted, and a query that is not has no body.
	if (method === "GET" ? path === "/v1/command" || bodyBytes !== null : false)
		return null;
	if (method === "POST" && bodyBytes === null) return null;
	const options = request[3] ?? "";
	return { method, path, options, bodyBytes: bodyBytes ?? 0 };
}

/** The length of the body, null in it for none; null where a header is not plain. */
function plainHeaders(
	lines: readonly string[],
): { readonly bodyBytes: number | null } | null {
	let bodyBytes: number | null = null;
	let hosts = 0;
	for (const line of lines) {
		const header = headerLine.exec(line);
		if (header === null) return null;
		const name = (header[1] as string).toLowerCase();
		const value = (header[2] as string).trim();
		if (beyondPlain.has(name) || name.startsWith("raftd-")) return null;
		if (name === "host") hosts++;
		if (name === "connection" && value.toLowerCase() !== "keep-alive")
			return null;
		if (name !== "content-length") continue;
		// Two that differ are how requests are smuggled (RFC 9112, 6.3).
		if (bodyBytes !== null || !wholeNumber.test(value)) return null;
		bodyBytes = Number(value);
	}
	return hosts === 1 ? { bodyBytes } : null;
}
