import type {
	SnapshotDescription,
	SnapshotManifest,
	SnapshotStore,
} from "../../../storage/snapshots/snapshot-store.js";

/** How long one turn gives pieces away before the sockets are looked at again. */
const turnLimitMs = 2;
/** A node that stops waits no longer than this for one that is taken slowly. */
const pauseLimitMs = 100;

/**
 * Writes a frozen state out in turns that nobody feels, no faster than `bytesPerSecond`, which may change on the way: hashing and writing go on
 * elsewhere, but the pieces are cut here. Rejects with what the disk says; then no file is left.
 */
export async function saveSnapshot(
	store: SnapshotStore,
	description: SnapshotDescription,
	source: {
		readonly chunks: Iterator<Uint8Array>;
		readonly bytesPerSecond: () => number;
		readonly isCancelled: () => boolean;
	},
): Promise<SnapshotManifest> {
	const writer = await store.create(description);
	try {
		const pace = new Pace(source);
		for (;;) {
			const { done, value } = source.chunks.next();
			if (done === true) break;
			// Taken over by the writer.
			const { length } = value;
			await writer.write(value);
			await pace.after(length);
		}
		return await writer.finish();
	} catch (error) {
		await writer.abort();
		throw error;
	}
}

interface PaceLimits {
	readonly bytesPerSecond: () => number;
	readonly isCancelled: () => boolean;
}

/** Keeps to a rate, and gives the event loop its turns. */
class Pace {
	readonly #limits: PaceLimits;
	#dueMs = performance.now();
	#turnMs = this.#dueMs;

	constructor(limits: PaceLimits) {
		this.#limits = limits;
	}

	/** So many bytes more were written: waits as long as it takes. Rejects when it is cancelled. */
	async after(bytes: number): Promise<void> {
		const took = (bytes / this.#limits.bytesPerSecond()) * 1000;
		this.#dueMs += took;
		for (;;) {
			if (this.#limits.isCancelled()) throw new Error("the node is stopping");
			const nowMs = performance.now();
			const aheadMs = this.#dueMs - nowMs;
			if (aheadMs >= 1) await pause(Math.min(aheadMs, pauseLimitMs));
			else if (nowMs - this.#turnMs >= turnLimitMs) await nextTurn();
			else return;
			this.#turnMs = performance.now();
		}
	}
}

function nextTurn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}

function pause(forMs: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, forMs));
}
