import type { Status } from "../../raft/types.js";

/** Who leads, as far as this node knows. */
export interface Leadership {
	readonly self: string;
	readonly leader: string | null;
	readonly isLeader: boolean;
	/** This leader is handing over: it takes nothing in. */
	readonly transferring: boolean;
}

export function leadershipOf(status: Status): Leadership {
	return {
		self: status.id,
		leader: status.leader,
		isLeader: status.role === "leader",
		transferring: status.transferTarget !== null,
	};
}
