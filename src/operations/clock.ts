import { setTimeout as delay } from "node:timers/promises";

/** Time as operations see it: monotonic, so that a step of the wall clock never shortens a limit. */
export interface Clock {
	/** Monotonic milliseconds. */
	now(): number;
	/** Milliseconds since the Unix epoch, only to compare with what the cluster dates so: a lock's end, a snapshot's age. */
	unixMs(): number;
	/** Throws the signal's reason as soon as it aborts. */
	sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
	now: () => performance.now(),
	unixMs: () => Date.now(),
	async sleep(ms, signal) {
		signal?.throwIfAborted();
		try {
			await delay(ms, undefined, signal === undefined ? {} : { signal });
		} catch (error) {
			signal?.throwIfAborted();
			throw error;
		}
	},
};
