import type { Random } from "../../sim/random.js";
import type { Cluster } from "../cluster.js";
import type { NodeProcess, Place } from "../node-process.js";

export const faultNames = [
	"kill",
	"stop",
	"partition",
	"asymmetric",
	"slow",
	"reset",
	"transfer",
	"membership",
	"snapshot",
	"wipe",
	"clock",
] as const;
export type FaultName = (typeof faultNames)[number];

/** Something that goes wrong, or that an operator does, while clients work. */
export interface Fault {
	readonly name: FaultName;
	/** Does it, lasts as long as it is to last, and mends it. False when it did not come about. */
	strike(field: Battlefield): Promise<boolean>;
}

/** Where faults happen: the cluster, chance, and who is being dealt with by which fault. */
export class Battlefield {
	readonly #claimed = new Set<string>();

	constructor(
		readonly cluster: Cluster,
		readonly random: Random,
		/** The run is over: what lasts is to be mended at once. */
		readonly over: AbortSignal,
	) {}

	/** Runs `deal` with the node of a place that nobody else deals with meanwhile; false when there is none. */
	async withNode(
		choose: (nodes: readonly NodeProcess[]) => Promise<NodeProcess | null>,
		deal: (node: NodeProcess) => Promise<boolean>,
	): Promise<boolean> {
		const free = ({ place }: NodeProcess) => !this.#claimed.has(place.name);
		const chosen = await choose(this.cluster.nodes.filter(free));
		if (chosen === null || !free(chosen)) return false;
		this.#claimed.add(chosen.place.name);
		try {
			return await deal(chosen);
		} finally {
			this.#claimed.delete(chosen.place.name);
		}
	}

	/** The leader about every other time: what happens to it matters most. */
	anyNode = async (
		nodes: readonly NodeProcess[],
	): Promise<NodeProcess | null> => {
		if (this.random.chance(0.5)) {
			const leader = await this.cluster.leader();
			if (leader !== null && nodes.includes(leader)) return leader;
		}
		return nodes.length === 0 ? null : this.random.pick(nodes);
	};

	/** The places in two groups, neither empty; the leader's is about as often the smaller one as not. */
	async groups(): Promise<[readonly Place[], readonly Place[]]> {
		const { places } = this.cluster;
		const shuffled = this.random.shuffle([...places]);
		const leader = (await this.cluster.leader())?.place;
		if (leader !== undefined && this.random.chance(0.5)) {
			shuffled.splice(shuffled.indexOf(leader), 1);
			shuffled.unshift(leader);
		}
		const size = this.random.whole(1, Math.max(1, (places.length - 1) >> 1));
		return [shuffled.slice(0, size), shuffled.slice(size)];
	}

	/** Waits; not beyond the end of the run. */
	pause(lowMs: number, highMs: number): Promise<void> {
		const ms = this.random.between(lowMs, highMs);
		return new Promise((resolve) => {
			if (this.over.aborted) return resolve();
			const end = () => {
				clearTimeout(timer);
				this.over.removeEventListener("abort", end);
				resolve();
			};
			const timer = setTimeout(end, ms);
			this.over.addEventListener("abort", end);
		});
	}
}
