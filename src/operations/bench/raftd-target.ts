import {
	connectKeyValue,
	NotDoneError,
	OutcomeUnknownError,
} from "../../client/index.js";
import type { RaftdWish, RequestWish } from "./load.js";
import type { Target } from "./target.js";

/** Of one thread; beyond it a request is refused at once, and counted. */
const maxUnderWay = 262_144;
const maxUnderWayBytes = 512 * 1024 * 1024;
/** Removals under way at once: enough to share an fsync, too few to be refused. */
const removalsAtOnce = 256;
const keysPerPage = 1000;
/** A write whose answer was lost may still arrive while keys are removed. */
const maxRemovalRounds = 10_000;
const removalTimeoutMs = 10_000;

/** Through the library that applications use, over its streams. */
export function openRaftdTarget(
	{ endpoints, tls, spread, consistency }: RaftdWish,
	{ timeoutMs, connections }: Pick<RequestWish, "timeoutMs" | "connections">,
): Target {
	const reach = {
		...{ endpoints, ...(tls === null ? {} : { tls }) },
		prefer: spread ? ("any" as const) : ("leader" as const),
	};
	const client = connectKeyValue({
		...{ ...reach, timeoutMs, connections, maxAttempts: 1 },
		...{ maxPending: maxUnderWay, maxPendingBytes: maxUnderWayBytes },
	});
	return {
		put: (key, value) => client.put(key, value),
		get: (key) => client.get(key, { consistency }),
		async removeBelow(prefix) {
			// Patient, unlike the load: what is refused is tried again.
			const patient = connectKeyValue({
				...{ ...reach, timeoutMs: removalTimeoutMs },
			});
			let removed = 0;
			try {
				for (let round = 0; round < maxRemovalRounds; round++) {
					const page = { prefix, limit: keysPerPage };
					const { items } = await patient.list(page);
					if (items.length === 0) return removed;
					for (let at = 0; at < items.length; at += removalsAtOnce) {
						const some = items.slice(at, at + removalsAtOnce);
						await Promise.all(some.map(({ key }) => patient.delete(key)));
					}
					removed += items.length;
				}
				throw new Error(`still not empty after ${removed} removals`);
			} finally {
				await patient.close();
			}
		},
		kindOf,
		close: () => client.close(),
	};
}

function kindOf(error: unknown): string {
	if (error instanceof NotDoneError) return error.reason;
	if (error instanceof OutcomeUnknownError)
		return error.reason === "unknown" ? "unknown" : `unknown, ${error.reason}`;
	return "unexpected";
}
