import type {
	SnapshotDescription,
	SnapshotManifest,
	SnapshotStore,
} from "../../../storage/snapshots/snapshot-store.js";

/** How long one turn gives pieces away before the sockets are looked at again. */
const turnLimitMs = 2;

/**
 * Writes a frozen state out in turns that nobody feels, no faster than `maxBytesPerSecond`: hashing and writing go on
 * elsewhere, but the pieces are cut here. Rejects with what the disk says; then no file is left.
 */
export async function saveSnapshot(
	store: SnapshotStore,
	description: SnapshotDescription,
	source: {
		readonly chunks: Iterator<Uint8Array>;
		readonly maxBytesPerSecond: number;
		readonly isCancelled: () => boolean;
	},
): Promise<SnapshotManifest> {
	const { chunks, maxBytesPerSecond, isCancelled } = source;
	const writer = await store.create(description);
	try {
		const sinceMs = performance.now();
		let bytes = 0;
		let turnMs = sinceMs;
		for (;;) {
			const { done, value } = chunks.next();
			if (done === true) break;
			bytes += value.length;
			await writer.write(value);
			if (isCancelled()) throw new Error("the node is stopping");
			const nowMs = performance.now();
			const aheadMs = (bytes / maxBytesPerSecond) * 1000 - (nowMs - sinceMs);
			if (aheadMs >= 1) await pause(aheadMs);
			else if (nowMs - turnMs >= turnLimitMs) await nextTurn();
			else continue;
			turnMs = performance.now();
		}
		return await writer.finish();
	} catch (error) {
		await writer.abort();
		throw error;
	}
}

function nextTurn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

function pause(forMs: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, forMs));
}
