import type { OpenCrew } from "./crew.js";
import type { TargetWish } from "./load.js";
import { benchPrefix } from "./wish.js";

/** One patient connection. */
export const cleanRequests = {
	...{ prefix: benchPrefix, keys: 1, bytes: 0, reads: 0 },
	...{ timeoutMs: 5_000, connections: 1 },
};

/** Removes what killed benches left: every key below their common prefix. */
export async function removeLeftKeys(
	openCrew: OpenCrew,
	targets: readonly TargetWish[],
): Promise<{ readonly prefix: string; readonly removed: number }> {
	let removed = 0;
	for (const target of targets) {
		const crew = await openCrew({ target, requests: cleanRequests }, 1);
		try {
			removed += await crew.remove();
		} finally {
			await crew.close();
		}
	}
	return { prefix: benchPrefix, removed };
}
