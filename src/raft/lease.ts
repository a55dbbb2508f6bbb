import type { Core } from "./core.js";
import { quorumIndex } from "./quorum.js";

/**
 * Whether this leader may still answer reads from its own state at `nowMs`, asking nobody (thesis, section 6.4.1).
 *
 * Whoever answers a heartbeat votes for nobody else within an election timeout from when it came in, which was not
 * before it was sent (Core.hearsLeader). So counted from the time of sending, and less by what clocks may drift apart,
 * no other leader can exist (P43). Ask again just before the answer goes out: the node may have stood still between.
 */
export function holdsLease(core: Core, nowMs: number): boolean {
	if (!core.isVoter) return false;
	if (core.leaseVoid || core.transfer !== null) return false;
	const { electionTimeoutMs, maxClockDrift } = core.options;
	const sentMs = confirmedMs(core, nowMs);
	return nowMs - sentMs < electionTimeoutMs * (1 - maxClockDrift);
}

/**
 * When this node certainly led, so that its commit index was the cluster's: a quorum has answered, in this term, what
 * was sent then. -Infinity for never.
 */
export function confirmedMs(core: Core, nowMs: number): number {
	const never = Number.NEGATIVE_INFINITY;
	if (core.role !== "leader" || core.log.commit < core.termStart) return never;
	return quorumIndex(core.configuration, (id) => {
		if (id === core.id) return nowMs;
		if (!core.isCounted(id)) return never;
		return core.followers.get(id)?.answeredStamp ?? never;
	});
}
