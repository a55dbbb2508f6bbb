import type { Configuration } from "../../raft/types.js";
import type { Incarnations } from "../peers/handshake.js";

/**
 * Which data directory each member has. The configuration in force says so, for every node alike; for founders whose
 * directories it does not name yet, the one that this node has met first counts (P31).
 */
export class MemberIncarnations implements Incarnations {
	readonly #met: Incarnations;
	readonly #configuration: () => Configuration;

	constructor(met: Incarnations, configuration: () => Configuration) {
		this.#met = met;
		this.#configuration = configuration;
	}

	known(nodeId: string): string | null {
		return (
			this.#configuration().addresses[nodeId]?.incarnation ??
			this.#met.known(nodeId)
		);
	}

	learn(nodeId: string, incarnation: string): void {
		this.#met.learn(nodeId, incarnation);
	}
}
