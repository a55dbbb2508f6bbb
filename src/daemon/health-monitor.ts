import { CatchUp } from "./catch-up.js";
import type { DrainView } from "./drain.js";
import type { EventLoopView } from "./event-loop.js";
import {
	type Check,
	type HealthFacts,
	type HealthLimits,
	liveChecks,
	type NodeState,
	nodeState,
	readyChecks,
} from "./health.js";
import type { Replica, ReplicaStatus } from "./replica.js";

/** Watches the node's own health: samples what needs a history, and tells listeners when the verdict changes. */
export class HealthMonitor {
	readonly #options: HealthMonitorOptions;
	readonly #catchUp = new CatchUp();
	readonly #listeners = new Set<(state: NodeState) => void>();
	#leaderReachedAtMs = Number.NEGATIVE_INFINITY;
	#lastState: NodeState = "unready";

	constructor(options: HealthMonitorOptions) {
		this.#options = options;
	}

	/** To be called several times within an election timeout. */
	sample(): void {
		const state = nodeState(this.ready());
		if (state === this.#lastState) return;
		this.#lastState = state;
		for (const listener of this.#listeners) listener(state);
	}

	live(): Check[] {
		return liveChecks(this.#facts(), this.#options.limits);
	}

	ready(): Check[] {
		return readyChecks(this.#facts(), this.#options.limits);
	}

	state(): NodeState {
		return nodeState(this.ready());
	}

	/** Returns the function that ends it. */
	onChange(listener: (state: NodeState) => void): () => void {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	}

	#facts(): HealthFacts {
		const { replica, nowMs, drain, started, eventLoop } = this.#options;
		const now = nowMs();
		const status = replica.status();
		const leaderCommit = replica.leaderCommit();
		if (reachesLeader(status)) this.#leaderReachedAtMs = now;
		this.#catchUp.observe({
			applied: status.applied,
			leader: leaderCommit,
			nowMs: now,
		});
		return {
			started: started(),
			status,
			alarms: [...replica.controlState().alarms.values()],
			drain: drain(),
			leaderlessMs: now - this.#leaderReachedAtMs,
			caughtUpAgoMs: this.#catchUp.agoMs(now),
			leaderCommit,
			recentStallMs: eventLoop().recentStallMs,
		};
	}
}

/** A link may be dead in one direction alone: whoever only hears its leader forwards every command into the void. */
function reachesLeader({ raft, connectedPeers }: ReplicaStatus): boolean {
	const { leader, id } = raft;
	return leader !== null && (leader === id || connectedPeers.includes(leader));
}

interface HealthMonitorOptions {
	readonly replica: Pick<Replica, "status" | "leaderCommit" | "controlState">;
	readonly limits: HealthLimits;
	/** Monotonic milliseconds. */
	readonly nowMs: () => number;
	/** Whether the client port is open. */
	readonly started: () => boolean;
	readonly drain: () => DrainView;
	readonly eventLoop: () => EventLoopView;
}
