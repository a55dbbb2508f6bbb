import { Fate } from "./history.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import type { World } from "./world.js";

const newestRelease = 6;

/**
 * Releases and levels: a node gets another release when it restarts, and a level is raised only when every node reads it
 * (P61). Going back is allowed as long as the release reads what may be written.
 */
export class Upgrades {
	readonly #world: World;
	readonly #random: Random;
	/** The newest release, by the highest level that it reads. */
	#released = 1;
	/** The highest level that was ever proposed to be written. */
	#proposed = 1;

	constructor(world: World) {
		this.#world = world;
		this.#random = new Random(world.options.seed, 8);
	}

	begin(): void {
		const world = this.#world;
		const { raiseMs } = world.options.operator;
		if (raiseMs === 0) return;
		const again = () => {
			if (!world.faulty) return;
			this.#released = Math.min(this.#released + 1, newestRelease);
			const node = world.workload.choose(0.95);
			if (node !== null && node.seen?.role === "leader") {
				this.#raise(node);
				node.settle();
			}
			world.call(this.#random.exponential(raiseMs), again);
		};
		world.call(this.#random.exponential(raiseMs), again);
	}

	/** `node` is about to start, with some release that reads what may be written. */
	install(node: SimNode): void {
		node.reads = this.#random.chance(0.8)
			? this.#released
			: this.#random.whole(this.#proposed, this.#released);
	}

	#raise(leader: SimNode): void {
		const { nodes, workload, coverage, broken } = this.#world;
		const level = leader.machine.writeLevel + 1;
		if (level > this.#released) return;
		const lacking = nodes.some(({ reads }) => reads < level);
		if (lacking && broken !== "level-rule") {
			coverage.raisesRefused++;
			return;
		}
		this.#proposed = Math.max(this.#proposed, level);
		const command = { type: "set-write-level", level, release: `r${level}` };
		workload.control(leader, command, (fate) => {
			if (fate === Fate.committed) coverage.levelsRaised++;
		});
	}
}
