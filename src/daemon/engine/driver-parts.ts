import type { LogStorage } from "../../storage/log-storage.js";
import type { Peers } from "../peers/peers.js";
import type { Applier } from "./applier.js";
import type { ClusterClock } from "./cluster-clock.js";
import type { Commands } from "./commands.js";
import type { Effects } from "./effects.js";
import type { EngineCounters } from "./engine-stats.js";
import type { Housekeeping } from "./housekeeping.js";
import type { LeaderWatch } from "./leader-watch.js";
import type { Limits } from "./limits.js";
import type { MembershipChanges } from "./membership.js";
import type { Reads } from "./reads.js";
import type { ReplicatedState } from "./replicated-state.js";
import type { Snapshots } from "./snapshots/snapshots.js";
import type { Transfers } from "./transfers.js";

/** The parts that the driver moves, each with its own business. */
export interface DriverParts {
	readonly limits: Limits;
	readonly log: LogStorage;
	readonly peers: Peers;
	readonly state: ReplicatedState;
	readonly clock: ClusterClock;
	readonly applier: Applier;
	readonly effects: Effects;
	readonly commands: Commands;
	readonly reads: Reads;
	readonly transfers: Transfers;
	readonly changes: MembershipChanges;
	readonly snapshots: Snapshots;
	readonly housekeeping: Housekeeping;
	readonly watch: LeaderWatch;
	readonly counters: EngineCounters;
}
