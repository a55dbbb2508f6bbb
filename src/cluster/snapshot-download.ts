import type { IncomingMessage } from "node:http";
import { type ErrorKind, OperatorError } from "../errors.js";
import { silence } from "./admin-call.js";
import type { AdminDoor } from "./admin-door.js";
import type { CallOptions, NodeRef, SnapshotWish } from "./engine.js";

/** Of the sentence that goes with a refusal. */
const maxSentenceBytes = 1024;

/**
 * The bytes of a snapshot's file on `node`, as they come; they are asked for no faster than they are taken. To be
 * iterated to its end, or left by `break` or the signal. Throws OperatorError "unreachable" for silence, for a node that
 * has no hands free, and for a body that is cut short; "refused" when there is no such snapshot, or another in its place.
 */
export async function downloadSnapshot(
	door: AdminDoor,
	{ node, wish, options }: SnapshotQuestion,
): Promise<AsyncIterable<Uint8Array>> {
	options.signal?.throwIfAborted();
	const { index, offset } = wish;
	const abort = new AbortController();
	const download = {
		...{ node, options, abort },
		asked: `snapshot ${index} from byte ${offset} on, at ${node.admin}`,
	};
	const response = await inTime(download, begun(door, download, wish));
	if (response.statusCode === (offset === 0 ? 200 : 206))
		return body(download, response);
	throw await refusalOf(download, response, offset);
}

interface SnapshotQuestion {
	readonly node: NodeRef;
	readonly wish: SnapshotWish;
	readonly options: CallOptions;
}

async function begun(
	door: AdminDoor,
	{ node, options, abort }: Download,
	{ index, offset, id }: SnapshotWish,
): Promise<IncomingMessage> {
	const signal = options.signal
		? AbortSignal.any([options.signal, abort.signal])
		: abort.signal;
	const call = await door.open(node, {
		// It may take long, and calls must not wait behind it.
		...{ path: `/snapshots/${index}`, alone: true, signal },
		headers: {
			...(offset > 0 && { range: `bytes=${offset}-` }),
			...(offset > 0 && id !== undefined && { "if-range": `"${id}"` }),
		},
	});
	return await new Promise((resolve, reject) => {
		call.on("response", resolve);
		call.on("error", reject);
		call.end();
	});
}

async function refusalOf(
	download: Download,
	response: IncomingMessage,
	offset: number,
): Promise<OperatorError> {
	const { node, asked } = download;
	const status = response.statusCode ?? 0;
	const state = `asked for ${asked}`;
	if (status === 200) {
		response.destroy();
		return new OperatorError(
			"refused",
			`${node.id} has another snapshot there than the one that was read up to byte ${offset}`,
			{ node: node.id, state, next: "begin anew" },
		);
	}
	let said = "";
	for await (const chunk of body(download, response)) {
		said += Buffer.from(chunk).toString("utf8");
		if (said.length >= maxSentenceBytes) break;
	}
	return new OperatorError(
		kinds[status] ?? "unexpected",
		`${node.id}: ${sentenceIn(said) ?? `HTTP ${status}`}`,
		{ node: node.id, state },
	);
}

/** `{"error":{"message":"…"}}`, as raftd says it. */
function sentenceIn(body: string): string | null {
	try {
		const { message } = JSON.parse(body).error;
		return typeof message === "string" && message !== "" ? message : null;
	} catch {
		return null;
	}
}

const kinds: Readonly<Record<number, ErrorKind>> = {
	404: "refused",
	416: "refused",
	503: "unreachable",
};

interface Download {
	readonly node: NodeRef;
	readonly options: CallOptions;
	readonly abort: AbortController;
	readonly asked: string;
}

async function* body(
	download: Download,
	response: IncomingMessage,
): AsyncGenerator<Uint8Array> {
	const chunks = response[Symbol.asyncIterator]();
	try {
		for (;;) {
			const next = await inTime(download, chunks.next());
			if (next.done) return;
			yield next.value;
		}
	} finally {
		response.destroy();
	}
}

/** Only the wait for the node counts: whoever takes the bytes may be slow. */
async function inTime<Result>(
	{ node, options, abort, asked }: Download,
	work: Promise<Result>,
): Promise<Result> {
	const { timeoutMs, signal } = options;
	const timer = setTimeout(() => abort.abort(), timeoutMs);
	try {
		return await work;
	} catch (cause) {
		if (signal?.aborted) throw signal.reason;
		throw silence(node, cause, {
			state: `asked for ${asked}`,
			limitMs: abort.signal.aborted ? timeoutMs : null,
		});
	} finally {
		clearTimeout(timer);
	}
}
