import { setTimeout as sleep } from "node:timers/promises";

/** So much is done before a word from outside is listened for. */
const turnBytes = 1024 * 1024;

/**
 * Keeps to a rate: called with the bytes done since, it waits for as long as they came too early. Rejects with the
 * signal's reason.
 */
export function throttle(
	maxBytesPerSecond: number,
	signal: AbortSignal,
): (bytes: number) => Promise<void> {
	const sinceMs = performance.now();
	let done = 0;
	let turnLeft = turnBytes;
	return async (bytes) => {
		done += bytes;
		turnLeft -= bytes;
		signal.throwIfAborted();
		const dueMs = sinceMs + (done / maxBytesPerSecond) * 1000;
		const aheadMs = dueMs - performance.now();
		if (aheadMs < 1 && turnLeft > 0) return;
		turnLeft = turnBytes;
		await sleep(Math.max(0, aheadMs), undefined, { signal }).catch(() => {});
		signal.throwIfAborted();
	};
}
