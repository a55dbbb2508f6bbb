import type { Entry, NodeId, Status } from "../../src/raft/types.js";

/** What must hold in every scenario, whatever it is about (paper, figure 3). */
export class Safety {
	readonly #leaders = new Map<number, NodeId>();
	readonly #applied = new Map<number, number>();

	/** Election Safety: one leader in each term. */
	look({ id, role, term }: Status): void {
		if (role !== "leader") return;
		const leader = this.#leaders.get(term) ?? id;
		this.#leaders.set(term, leader);
		if (leader !== id)
			throw new Error(`two leaders in term ${term}: ${leader} and ${id}`);
	}

	/** State Machine Safety: at each index all apply the same entry. */
	applied(id: NodeId, { index, term }: Entry): void {
		const known = this.#applied.get(index) ?? term;
		this.#applied.set(index, known);
		if (known !== term)
			throw new Error(
				`${id} applies ${index} of term ${term}, another node that of ${known}`,
			);
	}
}
