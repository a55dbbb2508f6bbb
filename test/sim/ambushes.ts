import { isJoint } from "../../src/raft/configurations.js";
import { majority } from "../../src/raft/quorum.js";
import { type Configuration, EntryKind } from "../../src/raft/types.js";
import { configurationOf } from "./configuration-of.js";
import type { Cuts } from "./cuts.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/**
 * Faults that lie in wait for a joint configuration: it lasts for a few messages only, and faults that come when they
 * like hardly ever meet it (P23). So candidates, votes, transfers and crashes fall into it.
 */
export class Ambushes {
	readonly #world: World;
	readonly #random: Random;
	readonly #cuts: Cuts;
	readonly #crash: (node: SimNode) => void;

	constructor(options: {
		readonly world: World;
		readonly random: Random;
		readonly cuts: Cuts;
		readonly crash: (node: SimNode) => void;
	}) {
		this.#world = options.world;
		this.#random = options.random;
		this.#cuts = options.cuts;
		this.#crash = options.crash;
	}

	/** A leader hands a joint configuration to its disk. Some others will have it when this strikes. */
	entered(leader: SimNode, configuration: Configuration): void {
		const { options, faulty, coverage } = this.#world;
		if (!faulty || !this.#random.chance(options.faults.ambushChance)) return;
		coverage.ambushes++;
		// Those with the new configuration must do without one of its halves.
		if (this.#random.chance(0.4)) this.#cuts.halves(configuration);
		const { disk, network } = options;
		const { voters, outgoing } = configuration;
		const staying = outgoing.filter((id) => voters.includes(id)).length;
		const mostLeave = staying < majority(outgoing.length);
		if (this.#random.chance(mostLeave ? 0.7 : 0.2)) {
			// Before it can have been answered.
			this.#soon(leader, network.baseMs * this.#random.next(), () =>
				this.#muteBeforeLeaving(leader, configuration),
			);
			return;
		}
		const soonMs = network.baseMs + this.#random.exponential(disk.baseMs);
		this.#soon(leader, this.#random.exponential(soonMs), () =>
			this.#strike(leader, configuration),
		);
	}

	#soon(leader: SimNode, delayMs: number, act: () => void): void {
		const { epoch } = leader;
		this.#world.call(delayMs, () => {
			if (leader.epoch === epoch && this.#world.faulty) act();
		});
	}

	/**
	 * The joint configuration is on its way, what ends it will get only to those that it removes: they alone can lead then
	 * (thesis, section 4.2.2).
	 */
	#muteBeforeLeaving(leader: SimNode, { voters }: Configuration): void {
		const { electionTimeoutMs } = this.#world.options;
		this.#cuts.mute(
			leader,
			({ id }) => voters.includes(id),
			electionTimeoutMs * this.#random.between(1, 5),
		);
	}

	#strike(leader: SimNode, { voters, outgoing }: Configuration): void {
		const { workload } = this.#world;
		const kind = this.#random.below(4);
		if (kind === 0) this.#crash(leader);
		else if (kind === 1) this.#cuts.isolate(leader);
		else if (kind === 2) {
			const running = this.#world.nodes.filter(
				({ id, raft }) =>
					raft !== null && [...voters, ...outgoing].includes(id),
			);
			if (running.length > 0) this.#crash(this.#random.pick(running));
		} else if (leader.raft !== null && leader.backlog === null) {
			const incoming = voters.filter((id) => !outgoing.includes(id));
			const target = [null, ...voters, ...incoming, ...incoming];
			workload.transfer(leader, this.#random.pick(target));
			leader.settle();
		}
	}
}

/** The joint configuration among `entries`, if there is one. */
export function jointAmong(
	entries: readonly Parameters<typeof configurationOf>[0][],
): Configuration | null {
	for (const entry of entries) {
		if (entry.kind !== EntryKind.configuration) continue;
		const configuration = configurationOf(entry);
		if (isJoint(configuration)) return configuration;
	}
	return null;
}
