import type { HaproxyBalancerEntry } from "../../config/inventory.js";

/** A node that has not answered a check by then has failed it. */
export const checkTimeoutMs = 1_000;

/**
 * The longest time from a node's word to HAProxy's acting on it. A drain needs one answer of the agent; a node that is
 * silent is out after `fall` checks, one that is back in after `rise`.
 */
export function reactionMsOf({
	checkIntervalMs,
	fall,
	rise,
}: Pick<HaproxyBalancerEntry, "checkIntervalMs" | "fall" | "rise">): number {
	return checkIntervalMs * Math.max(fall, rise) + checkTimeoutMs;
}
