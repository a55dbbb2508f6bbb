import { parseControl } from "../../machines/control.js";
import { type Rejection, rejected } from "./admission.js";
import { clockRefusal } from "./clock-refusal.js";

/**
 * Why a command of the cluster's own must not enter the log; null when it may. What this release does not know it does
 * not write for a node of a later one either: no node could tell who reads it (P61).
 */
export function controlRefusal(
	command: Uint8Array,
	nowMs: number,
): Rejection | null {
	return parseControl(command) === null
		? rejected(
				"level",
				"it is malformed, or the leader's release does not know it",
			)
		: clockRefusal(command, nowMs);
}
