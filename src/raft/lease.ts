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
	if (core.role !== "leader" || !core.isVoter) return false;
	if (core.leaseVoid || core.transfer !== null) return false;
	if (core.log.commit < core.termStart) return false;
	const { electionTimeoutMs, maxClockDrift } = core.options;
	const sentMs = quorumIndex(core.configuration, (id) => {
		if (id === core.id) return nowMs;
		if (!core.isCounted(id)) return Number.NEGATIVE_INFINITY;
		return core.followers.get(id)?.answeredStamp ?? Number.NEGATIVE_INFINITY;
	});
	return nowMs - sentMs < electionTimeoutMs * (1 - maxClockDrift);
}
