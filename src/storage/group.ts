import type { HardState } from "../raft/types.js";
import { bufferOf, walkBlock } from "./block.js";
import type { LogReset, WriteBatch } from "./log-storage.js";
import { encodeHardState, encodeReset, type Item, ItemKind } from "./record.js";

/** Beyond these a group's latency rises and its rate falls. A single larger batch goes alone. */
export const maxGroupBytes = 8 * 1024 * 1024;
export const maxGroupBatches = 1024;

/** Several batches as one record: they become durable together, with one write and one fdatasync. */
export interface Group {
	readonly items: readonly Item[];
	readonly hardState: HardState | null;
	/** The newest; what was to be written before it is left out. */
	readonly reset: LogReset | null;
	/** False when only the commit hint changed; it can wait for the next group (P10). */
	readonly sync: boolean;
}

/** Splits what has queued up into groups within the limits, in order. */
export function* groupsOf(
	batches: readonly WriteBatch[],
): Generator<readonly WriteBatch[]> {
	let start = 0;
	let bytes = 0;
	for (const [number, { blocks }] of batches.entries()) {
		let more = 0;
		for (const block of blocks) more += block.length;
		const isFull =
			bytes + more > maxGroupBytes || number - start >= maxGroupBatches;
		if (isFull && number > start) {
			yield batches.slice(start, number);
			start = number;
			bytes = 0;
		}
		bytes += more;
	}
	if (start < batches.length)
		yield start === 0 ? batches : batches.slice(start);
}

/**
 * Makes one group of batches. Of the hard states the newest counts, as nothing between them can survive alone. Blocks
 * that follow each other become one; those before a reset are never written. Throws a RangeError when a block does not hold what its batch says: better to stop
 * than to make a log that cannot be read.
 */
export function groupOf(
	batches: readonly WriteBatch[],
	waiting: HardState | null,
): Group {
	let runs: { first: number; last: number; parts: Uint8Array[] }[] = [];
	let hardState = waiting;
	let reset: LogReset | null = null;
	let sync = false;
	for (const batch of batches) {
		const { firstIndex: first, lastIndex: last, blocks } = batch;
		sync ||= batch.sync || blocks.length > 0 || batch.reset !== null;
		hardState = batch.hardState ?? hardState;
		if (batch.reset !== null) {
			reset = batch.reset;
			runs = [];
		}
		if (blocks.length === 0) continue;
		checkBlocks(batch);
		const run = runs.at(-1);
		if (run?.last === first - 1) {
			run.parts.push(...blocks);
			run.last = last;
		} else runs.push({ first, last, parts: [...blocks] });
	}
	const items: Item[] = reset === null ? [] : [resetItem(reset)];
	for (const run of runs) items.push({ kind: ItemKind.entries, ...run });
	if (hardState !== null) items.push(hardStateItem(hardState));
	return { items, hardState, reset, sync };
}

export function hardStateItem(state: HardState): Item {
	const parts = [encodeHardState(state)];
	return { kind: ItemKind.hardState, first: 0, last: 0, parts };
}

function resetItem(reset: LogReset): Item {
	const parts = [encodeReset(reset)];
	return { kind: ItemKind.reset, first: 0, last: 0, parts };
}

function checkBlocks({ blocks, firstIndex, lastIndex }: WriteBatch): void {
	let next = firstIndex;
	for (const block of blocks)
		next = walkBlock(bufferOf(block), next, null, ignore);
	if (next !== lastIndex + 1)
		throw new RangeError(`the block ends with ${next - 1}, not ${lastIndex}`);
}

function ignore(): void {}
