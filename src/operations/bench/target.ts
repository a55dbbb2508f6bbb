import type { RequestWish, TargetWish } from "./load.js";

/** A system under load, as one thread reaches it. Requests are sent once: what is refused is counted, not tried again. */
export interface Target {
	put(key: string, value: Uint8Array): Promise<unknown>;
	get(key: string): Promise<unknown>;
	/** Removes every key that begins with `prefix`; how many there were. */
	removeBelow(prefix: string): Promise<number>;
	/** A short word for what `put` or `get` rejected with, the same for all of its kind. */
	kindOf(error: unknown): string;
	close(): Promise<void>;
}

/** `connections` are this thread's. */
export async function openTarget(
	wish: TargetWish,
	limits: Pick<RequestWish, "timeoutMs" | "connections">,
): Promise<Target> {
	if (wish.system === "raftd") {
		const { openRaftdTarget } = await import("./raftd-target.js");
		return openRaftdTarget(wish, limits);
	}
	const { openEtcdTarget } = await import("./etcd-target.js");
	return openEtcdTarget(wish, limits);
}
