import { membersOf } from "../../raft/configurations.js";
import type { Raft } from "../../raft/raft.js";
import type { Configuration, NodeId } from "../../raft/types.js";

/**
 * Whether this node was removed from the cluster. Nobody leads it any more then: a client that waits here for a leader
 * waits in vain, and must hear at once to go elsewhere.
 */
export class OwnMembership {
	readonly #raft: Pick<Raft, "configuration" | "commit">;
	readonly #id: NodeId;
	#seen: Configuration | null = null;
	#isMember = true;

	constructor(raft: Pick<Raft, "configuration" | "commit">, id: NodeId) {
		this.#raft = raft;
		this.#id = id;
	}

	/** Why requests are refused; null while it is a member, or may still be one. Asked for every request, so it is cheap. */
	refusal(): string | null {
		const { index, configuration } = this.#raft.configuration();
		if (configuration !== this.#seen) {
			this.#seen = configuration;
			this.#isMember = membersOf(configuration).includes(this.#id);
		}
		// Index 0: it waits to be added. Behind the commit index: the removal may be taken back (P21).
		if (this.#isMember || index === 0 || index > this.#raft.commit) return null;
		return `${this.#id} was removed from the cluster; ask another node`;
	}
}
