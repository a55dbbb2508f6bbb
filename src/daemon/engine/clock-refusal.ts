import { parseControl } from "../../machines/control.js";
import { type Rejection, rejected } from "./admission.js";

/** What a command may be ahead of this node's clock. */
const maxClockAheadMs = 10_000;

/** The cluster's time never runs backwards: one node's wrong clock must not end everybody's locks and sessions. */
export function clockRefusal(
	command: Uint8Array,
	nowMs: number,
): Rejection | null {
	const aheadMs = (parseControl(command)?.nowMs ?? 0) - nowMs;
	return aheadMs <= maxClockAheadMs
		? null
		: rejected(
				"clock",
				`the clock of the node that took it is ${Math.round(aheadMs / 1000)} s ahead of the leader's`,
			);
}
