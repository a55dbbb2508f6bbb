import type { Request } from "./request.js";

/** One proposal to the core takes at most so much; a turn makes as many as it needs. */
const batchCommands = 4096;
const batchBytes = 1024 * 1024;

/** Cuts `queue` into runs of one kind and level within the limits; a longer command is a batch of its own. */
export function* batchesOf(queue: readonly Request[]): Generator<Request[]> {
	for (let start = 0; start < queue.length; ) {
		const end = batchEnd(queue, start);
		yield queue.slice(start, end);
		start = end;
	}
}

function batchEnd(queue: readonly Request[], start: number): number {
	const { kind, level } = queue[start] as Request;
	const limit = Math.min(queue.length, start + batchCommands);
	let bytes = 0;
	for (let end = start; end < limit; end++) {
		const request = queue[end] as Request;
		bytes += request.bytes;
		const fits =
			request.kind === kind && request.level === level && bytes <= batchBytes;
		if (!fits && end > start) return end;
	}
	return limit;
}
