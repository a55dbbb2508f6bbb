import type { connectNodeAdapter } from "@connectrpc/connect-node";
import { reasonOf } from "../../errors.js";
import type { SnapshotFile } from "../../storage/snapshots/snapshot-store.js";
import { type ByteRange, rangeOf } from "./byte-range.js";
import { type ShownSnapshots, shownSnapshots } from "./snapshot-list.js";

/** Of HTTP/1.1 and HTTP/2 alike. */
type Handler = ReturnType<typeof connectNodeAdapter>;
type Request = Parameters<Handler>[0];
type Response = Parameters<Handler>[1];

interface SnapshotFilesOptions {
	readonly node: string;
	readonly snapshots: ShownSnapshots;
	/** Files that are sent at once; more are turned away. */
	readonly maxReaders?: number;
	/** A reader that takes nothing for so long is let go: it keeps the file from being removed. */
	readonly stalledReaderMs?: number;
	/** A file could not be read to its end. */
	onFailure(path: string, error: unknown): void;
}

const defaultMaxReaders = 4;
const defaultStalledReaderMs = 60_000;
/** Read at once, by the snapshots' own thread; one such piece is read while the one before it is sent. */
const pieceBytes = 1024 * 1024;
const retryAfterSeconds = 5;

/** The handler of `GET /snapshots` and `GET /snapshots/<index>`; false for any other path. */
export function snapshotFiles(
	options: SnapshotFilesOptions,
): (request: Request, response: Response) => boolean {
	const files = new SnapshotFiles(options);
	return (request, response) => {
		const [path = ""] = (request.url ?? "/").split("?", 1);
		const [, root, index, ...rest] = path.split("/");
		if (root !== "snapshots" || rest.length > 0) return false;
		files.answer(index, request, response);
		return true;
	};
}

class SnapshotFiles {
	readonly #options: SnapshotFilesOptions;
	readonly #maxReaders: number;
	#readers = 0;

	constructor(options: SnapshotFilesOptions) {
		this.#options = options;
		this.#maxReaders = options.maxReaders ?? defaultMaxReaders;
	}

	answer(
		index: string | undefined,
		request: Request,
		response: Response,
	): void {
		const { method } = request;
		if (method !== "GET" && method !== "HEAD") {
			response.setHeader("allow", "GET, HEAD");
			refuse(response, 405, `${method} is not done here; there is GET`);
		} else if (index === undefined || index === "") {
			const snapshots = shownSnapshots(this.#options.snapshots);
			sendJson(response, 200, { snapshots }, method === "HEAD");
		} else if (!/^\d{1,15}$/.test(index)) {
			refuse(response, 404, "a snapshot is named by its index, a number");
		} else {
			this.#send(Number(index), request, response).catch((error) => {
				this.#options.onFailure(request.url ?? "", error);
				if (response.headersSent) response.destroy();
				else refuse(response, 500, `it cannot be read: ${reasonOf(error)}`);
			});
		}
	}

	async #send(
		index: number,
		request: Request,
		response: Response,
	): Promise<void> {
		const { snapshots, node } = this.#options;
		if (this.#readers >= this.#maxReaders) {
			response.setHeader("retry-after", retryAfterSeconds);
			refuse(
				response,
				503,
				`${this.#readers} snapshots are being read from ${node}; try again in a while`,
			);
			return;
		}
		this.#readers++;
		// Before anything is waited for: whoever leaves meanwhile is seen to leave.
		const outlet = new Outlet(response, this.#options.stalledReaderMs);
		try {
			const file = await snapshots.open(index);
			if (file === null) {
				const there = snapshots.list().map((manifest) => manifest.index);
				const known = there.length === 0 ? "none" : there.join(", ");
				const sentence = `${node} has no snapshot at ${index}; there is ${known}`;
				refuse(response, 404, sentence);
				return;
			}
			try {
				const wanted = begin(file, request, response);
				if (wanted !== null) await sendPieces(file, wanted, outlet);
			} finally {
				await file.close();
			}
		} finally {
			this.#readers--;
		}
	}
}

/** Answers with the head, or all of it; null when no bytes of the file are to follow. */
function begin(
	{ manifest }: SnapshotFile,
	request: Request,
	response: Response,
): ByteRange | null {
	const { id, index, fileBytes } = manifest;
	const etag = `"${id}"`;
	const range = rangeOf(request.headers, { bytes: fileBytes, etag });
	response.setHeader("accept-ranges", "bytes");
	response.setHeader("etag", etag);
	if (range === "unsatisfiable") {
		response.setHeader("content-range", `bytes */${fileBytes}`);
		refuse(response, 416, `the snapshot at ${index} has ${fileBytes} bytes`);
		return null;
	}
	const { start, end } = range ?? { start: 0, end: fileBytes };
	if (range !== null)
		response.setHeader(
			"content-range",
			`bytes ${start}-${end - 1}/${fileBytes}`,
		);
	response.setHeader("content-type", "application/octet-stream");
	response.setHeader("content-length", end - start);
	response.setHeader("cache-control", "no-store");
	response.writeHead(range === null ? 200 : 206);
	if (request.method !== "HEAD") return { start, end };
	response.end();
	return null;
}

/** Returns when the last byte has left, or nobody reads any more. */
async function sendPieces(
	file: SnapshotFile,
	{ start, end }: ByteRange,
	outlet: Outlet,
): Promise<void> {
	let next = readPiece(file, start, end);
	for (let at = start; at < end && !outlet.isClosed; ) {
		const piece = await next;
		at += piece.length;
		next = readPiece(file, at, end);
		await outlet.write(piece);
	}
	await next;
	await outlet.end();
}

/** Fails where it is awaited, and nowhere before. */
function readPiece(
	file: SnapshotFile,
	at: number,
	end: number,
): Promise<Uint8Array> {
	const length = Math.min(pieceBytes, end - at);
	if (length === 0) return Promise.resolve(new Uint8Array(0));
	const reading = file.readAt(at, length);
	reading.catch(() => {});
	return reading;
}

/** Waits for a slow reader, but not for one that has left or stands still (P65). */
class Outlet {
	readonly #response: Response;
	readonly #stalledMs: number;
	#isClosed = false;
	#wake: () => void = () => {};

	constructor(response: Response, stalledMs = defaultStalledReaderMs) {
		this.#response = response;
		this.#stalledMs = stalledMs;
		for (const event of ["drain", "finish", "error"])
			response.on(event, () => this.#wake());
		response.on("close", () => {
			this.#isClosed = true;
			this.#wake();
		});
	}

	get isClosed(): boolean {
		return this.#isClosed;
	}

	async write(bytes: Uint8Array): Promise<void> {
		if (this.#isClosed) return;
		if (!this.#response.write(bytes)) await this.#room();
	}

	/** Until the last byte has left, the file counts as being read. */
	async end(): Promise<void> {
		if (this.#isClosed) return;
		this.#response.end();
		await this.#room();
	}

	#room(): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(() => this.#response.destroy(), this.#stalledMs);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}

function refuse(response: Response, status: number, message: string): void {
	sendJson(response, status, { error: { message } });
}

function sendJson(
	response: Response,
	status: number,
	value: object,
	withoutBody = false,
): void {
	const body = Buffer.from(`${JSON.stringify(value)}\n`);
	response.setHeader("content-type", "application/json; charset=utf-8");
	response.setHeader("content-length", body.length);
	response.setHeader("cache-control", "no-store");
	response.writeHead(status);
	response.end(withoutBody ? "" : body);
}
