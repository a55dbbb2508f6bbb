import type { HardState } from "../raft/types.js";
import type { LogReset, WriteBatch } from "./log-storage.js";

/** Ten numbers, the name of the vote, and the blocks. */
const numbers = 10;
const headerBytes = 8 * numbers;
const noName = -1;

/** What `packBatch` takes of `batch`. */
export function packedBytes({ hardState, blocks }: WriteBatch): number {
	let bytes = headerBytes;
	if (typeof hardState?.votedFor === "string")
		bytes += Buffer.byteLength(hardState.votedFor, "utf8");
	for (const block of blocks) bytes += block.length;
	return bytes;
}

/**
 * A batch as one piece of memory, which the other thread reads where it lies. An object of the same content is taken
 * apart and put together again by name, and costs three times as much. The blocks are copied; the caller keeps its own.
 * `target` has `packedBytes` from a multiple of eight on.
 */
export function packBatch(batch: WriteBatch, target: Buffer): void {
	const { hardState, reset, blocks } = batch;
	const votedFor = hardState?.votedFor ?? null;
	const nameBytes =
		votedFor === null ? 0 : target.write(votedFor, headerBytes, "utf8");
	const header = new Float64Array(target.buffer, target.byteOffset, numbers);
	header[0] = batch.sequence;
	header[1] = batch.firstIndex;
	header[2] = batch.lastIndex;
	header[3] = batch.sync ? 1 : 0;
	header[4] = hardState === null ? 0 : 1;
	header[5] = hardState?.term ?? 0;
	header[6] = hardState?.commit ?? 0;
	header[7] = votedFor === null ? noName : nameBytes;
	header[8] = reset?.index ?? noName;
	header[9] = reset?.term ?? 0;
	let at = headerBytes + nameBytes;
	for (const block of blocks) {
		target.set(block, at);
		at += block.length;
	}
}

/** Its blocks are views of `packed`. */
export function unpackBatch(packed: Buffer): WriteBatch {
	const [
		sequence = 0,
		firstIndex = 0,
		lastIndex = 0,
		sync = 0,
		hasHardState = 0,
		term = 0,
		commit = 0,
		nameLength = noName,
		resetIndex = noName,
		resetTerm = 0,
	] = new Float64Array(packed.buffer, packed.byteOffset, numbers);
	const blockAt = headerBytes + Math.max(0, nameLength);
	const votedFor =
		nameLength === noName
			? null
			: packed.toString("utf8", headerBytes, blockAt);
	const hardState: HardState | null =
		hasHardState === 0 ? null : { term, commit, votedFor };
	const reset: LogReset | null =
		resetIndex === noName ? null : { index: resetIndex, term: resetTerm };
	const block = packed.subarray(blockAt);
	const blocks = block.length === 0 ? [] : [block];
	const isSynced = sync === 1;
	return {
		...{ sequence, hardState, reset, firstIndex, lastIndex, blocks },
		sync: isSynced,
	};
}
