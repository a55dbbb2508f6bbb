import type { Cluster } from "./cluster.js";

const intervalMs = 100;

/** Looks at every node all the time, and keeps what must hold whatever clients see. */
export class Observer {
	readonly violations: string[] = [];
	/** Who led in each term. */
	readonly #leaders = new Map<number, string>();
	/** Who was what, for every membership seen: addresses that become known are no change of it. */
	readonly #configurations = new Set<string>();
	readonly #snapshots = new Set<string>();
	readonly #incarnations = new Map<string, string>();

	get elections(): number {
		// The first leader of a cluster takes nobody's place.
		return Math.max(0, this.#leaders.size - 1);
	}

	get configurations(): number {
		return Math.max(0, this.#configurations.size - 1);
	}

	get snapshots(): number {
		return this.#snapshots.size;
	}

	async watch(cluster: Cluster, over: AbortSignal): Promise<void> {
		while (!over.aborted) {
			for (const status of await cluster.statuses()) {
				const { nodeId, role, term, members, snapshotIndex } = status;
				if (role === "leader") this.#leads(term, nodeId);
				if (members.length > 0)
					this.#configurations.add(
						members.map((one) => `${one.id} ${one.role}`).join(),
					);
				if (snapshotIndex > 0)
					this.#snapshots.add(`${nodeId} ${snapshotIndex}`);
				this.#is(nodeId, status.incarnation);
			}
			await new Promise((wake) => setTimeout(wake, intervalMs));
		}
	}

	/** Election Safety (paper, section 5.2). */
	#leads(term: number, id: string): void {
		const other = this.#leaders.get(term) ?? id;
		this.#leaders.set(term, other);
		if (other !== id)
			this.violations.push(`both ${other} and ${id} led in term ${term}`);
	}

	/** A name is never used for another disk (P31). */
	#is(id: string, incarnation: string): void {
		const known = this.#incarnations.get(id) ?? incarnation;
		this.#incarnations.set(id, known);
		if (known !== incarnation)
			this.violations.push(`${id} is ${known}, and ${incarnation} as well`);
	}
}
