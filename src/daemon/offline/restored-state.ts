import {
	type ControlState,
	createControlState,
} from "../../machines/control.js";
import type { Machine } from "../../machines/machine.js";
import { EventHistory } from "../engine/event-history.js";
import { defaultLimits } from "../engine/limits.js";
import { StateDigests } from "../engine/state/digests.js";
import { agreedLevelOf } from "../engine/state/levels.js";
import type { RestoredParts } from "../engine/state/restorer.js";
import { snapshotChunks } from "../engine/state/snapshot.js";

/**
 * What a new cluster takes over of the old one's own state: up to where time has come, and what it may write, as its
 * commands and its machine's bytes are of that level. All else is about the old cluster. Its sessions go, too: a client
 * whose acknowledged commands are not in the snapshot must notice, and going on with its session it would not (P58). The
 * schedule goes, as two clusters that write and prune in one directory would remove each other's snapshots. Whoever
 * still has a fencing token of the old cluster is fenced off: all of them are below `index`.
 */
export function controlAfterRestore(
	{ nowMs, writeLevel }: Readonly<ControlState>,
	index: number,
): ControlState {
	return { ...createControlState(), nowMs, writeLevel, fencingToken: index };
}

/**
 * The content of a snapshot at `index` with the machine's state as it was. It holds no event, and says that there is none
 * up to `index`: a subscriber that had gone on with the old cluster is told that events are missing, instead of being
 * told later ones as if nothing had happened (P63).
 */
export function restoredContent(
	{ control, machine: state }: RestoredParts,
	index: number,
	machine: Machine,
): { readonly level: number; readonly chunks: Iterator<Uint8Array> } {
	const own = controlAfterRestore(control, index);
	const { level } = agreedLevelOf({ machine, agreed: own.writeLevel });
	const { maxEvents, maxEventBytes: maxBytes } = defaultLimits;
	const chunks = snapshotChunks({
		...{ index, control: own, digests: new StateDigests() },
		events: new EventHistory({ maxEvents, maxBytes, applied: index }),
		...{ machine, state, level },
	});
	return { level, chunks };
}

/** What was left behind, for people. */
export interface Dropped {
	readonly sessions: number;
	readonly alarms: number;
	readonly operations: number;
	/** To be set again, with another directory than the old cluster's. */
	readonly snapshotSchedule: ControlState["snapshotSchedule"];
}

export function droppedFrom(control: Readonly<ControlState>): Dropped {
	const { sessions, alarms, operations, snapshotSchedule } = control;
	return {
		...{ sessions: sessions.size, alarms: alarms.size },
		...{ operations: operations.length, snapshotSchedule },
	};
}
