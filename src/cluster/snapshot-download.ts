import { type IncomingMessage, request } from "node:http";
import { OperatorError, reasonOf } from "../errors.js";
import type { CallOptions, NodeRef } from "./engine.js";

/**
 * The bytes of a snapshot's file on `node`, from `offset` on, as they come; they are asked for no faster than they are
 * taken. `timeoutMs` is how long the node may be silent, before the answer and within it. To be iterated to its end, or
 * left by `return`, `break` or the signal. Throws OperatorError "unreachable" for silence and for a body that is cut
 * short, "refused" when there is no such snapshot.
 */
export async function downloadSnapshot(
	node: NodeRef,
	{ index, offset }: { readonly index: number; readonly offset: number },
	options: CallOptions,
): Promise<AsyncIterable<Uint8Array>> {
	options.signal?.throwIfAborted();
	const asked = `snapshot ${index} from byte ${offset} on, at ${node.admin}`;
	const faults = { node, asked, options };
	const abort = new AbortController();
	const signal = options.signal
		? AbortSignal.any([options.signal, abort.signal])
		: abort.signal;
	const begun = new Promise<IncomingMessage>((resolve, reject) => {
		// A connection of its own: it may take long, and calls must not wait behind it.
		const call = request(`http://${node.admin}/snapshots/${index}`, {
			agent: false,
			signal,
			headers: offset === 0 ? {} : { range: `bytes=${offset}-` },
		});
		call.on("response", resolve);
		call.on("error", reject);
		call.end();
	});
	const response = await inTime(faults, begun, abort);
	const status = response.statusCode ?? 0;
	if (status === (offset === 0 ? 200 : 206))
		return body(faults, response, abort);
	response.destroy();
	throw new OperatorError(
		status === 404 ? "refused" : "unexpected",
		status === 404
			? `${node.id} has no snapshot at index ${index}`
			: `${node.id} answers HTTP ${status} to a request for a snapshot`,
		{ node: node.id, state: `asked for ${asked}` },
	);
}

interface Faults {
	readonly node: NodeRef;
	readonly asked: string;
	readonly options: CallOptions;
}

async function* body(
	faults: Faults,
	response: IncomingMessage,
	abort: AbortController,
): AsyncGenerator<Uint8Array> {
	const chunks = response[Symbol.asyncIterator]();
	try {
		for (;;) {
			const next = await inTime(faults, chunks.next(), abort);
			if (next.done) return;
			yield next.value;
		}
	} finally {
		response.destroy();
	}
}

/** Only the wait for the node counts: whoever takes the bytes may be slow. */
async function inTime<Result>(
	{ node, asked, options }: Faults,
	work: Promise<Result>,
	abort: AbortController,
): Promise<Result> {
	const { timeoutMs, signal } = options;
	const timer = setTimeout(() => abort.abort(), timeoutMs);
	try {
		return await work;
	} catch (cause) {
		if (signal?.aborted) throw signal.reason;
		throw new OperatorError(
			"unreachable",
			abort.signal.aborted
				? `${node.id} did not answer within ${timeoutMs} ms`
				: `${node.id} does not answer: ${reasonOf(cause)}`,
			{ node: node.id, state: `asked for ${asked}`, cause },
		);
	} finally {
		clearTimeout(timer);
	}
}
