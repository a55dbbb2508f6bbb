import type { SimNode } from "../node.js";
import type { WorldOptions } from "../options.js";
import { demand } from "../violation.js";

/** What a log must keep while it has room: what followers that are heard still need (P47). */
export class RetentionRules {
	readonly #options: WorldOptions;

	constructor(options: WorldOptions) {
		this.#options = options;
	}

	/** The log of `node` is about to go up to `index`; `isForced` when it takes more room than it may. */
	compacting(node: SimNode, index: number, isForced: boolean): void {
		const status = node.raft?.status();
		if (isForced || status === undefined) return;
		const { voters, outgoing, learners } = status.configuration;
		for (const follower of status.followers) {
			const { id, state, match, heardAgoMs, counted } = follower;
			const isMember = [voters, outgoing, learners].some((ids) =>
				ids.includes(id),
			);
			const isHeard = heardAgoMs < this.#options.electionTimeoutMs;
			// One that was offered a snapshot needs what follows that, and not what follows its own log.
			if (!isMember || !isHeard || !counted || state === "snapshot") continue;
			demand(
				index <= match,
				"log-needed",
				() =>
					`${node.id} compacts its log to ${index}; ${id} is heard and stands at ${match}`,
			);
		}
	}
}
