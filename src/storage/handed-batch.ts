import type { HardState } from "../raft/types.js";
import type { LogReset, WriteBatch } from "./log-storage.js";

/** Ten numbers, the name of the vote, and the block. */
const numbers = 10;
const headerBytes = 8 * numbers;
const noName = -1;

/**
 * A batch as one piece of memory, which changes hands between threads as it is. An object of the same content is taken
 * apart and put together again by name, and costs three times as much. The block is copied; the caller keeps its own.
 */
export function packBatch(batch: WriteBatch): ArrayBuffer {
	const { hardState, reset, block } = batch;
	const name =
		hardState === null || hardState.votedFor === null
			? null
			: Buffer.from(hardState.votedFor, "utf8");
	const nameBytes = name?.length ?? 0;
	// Not from the pool: memory that others share cannot change hands.
	const bytes = Buffer.allocUnsafeSlow(headerBytes + nameBytes + block.length);
	const header = new Float64Array(bytes.buffer, 0, numbers);
	header[0] = batch.sequence;
	header[1] = batch.firstIndex;
	header[2] = batch.lastIndex;
	header[3] = batch.sync ? 1 : 0;
	header[4] = hardState === null ? 0 : 1;
	header[5] = hardState?.term ?? 0;
	header[6] = hardState?.commit ?? 0;
	header[7] = name?.length ?? noName;
	header[8] = reset?.index ?? noName;
	header[9] = reset?.term ?? 0;
	if (name !== null) bytes.set(name, headerBytes);
	bytes.set(block, headerBytes + nameBytes);
	return bytes.buffer as ArrayBuffer;
}

export function unpackBatch(packed: ArrayBuffer): WriteBatch {
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
	] = new Float64Array(packed, 0, numbers);
	const bytes = Buffer.from(packed);
	const blockAt = headerBytes + Math.max(0, nameLength);
	const votedFor =
		nameLength === noName ? null : bytes.toString("utf8", headerBytes, blockAt);
	const hardState: HardState | null =
		hasHardState === 0 ? null : { term, commit, votedFor };
	const reset: LogReset | null =
		resetIndex === noName ? null : { index: resetIndex, term: resetTerm };
	const block = bytes.subarray(blockAt);
	const isSynced = sync === 1;
	return {
		...{ sequence, hardState, reset, firstIndex, lastIndex, block },
		sync: isSynced,
	};
}
