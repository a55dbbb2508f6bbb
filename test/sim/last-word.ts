import type { Cuts } from "./cuts.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/** How many election timeouts the links between voters are narrow: for two leaders, one after the other. */
const narrowTimeouts = 8;
/** How long the second leader has to be found. */
const successionTimeouts = 5;

/**
 * Brings about that a learner alone holds the newest entries, while the only others who hold anything new are a voter
 * that counts on the learner's vote and one that is dead for good. Then nobody but the learner can be elected (P27).
 */
export class LastWord {
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

	/** `first` leads. It alone is to hold that a learner shall vote; its successor's entries reach the learners alone. */
	begin(first: SimNode): void {
		const { options, operator } = this.#world;
		const { electionTimeoutMs } = options;
		const { voters, learners } = first.handed.configuration.configuration;
		if (learners.length === 0 || voters.length < 3) return;
		const id = this.#random.pick(learners);
		this.#cuts.narrow(
			(from, to) => from === first || voters.includes(to.id),
			narrowTimeouts * electionTimeoutMs,
		);
		const changes = [{ type: "promote" as const, id }];
		first.later(0, () =>
			operator.change(first, {
				...{ changes, expectedIndex: null, waived: ["catch-up"] },
			}),
		);
		this.#world.call(electionTimeoutMs * this.#random.next(), () => {
			if (first.handed.configuration.configuration.voters.includes(id))
				this.#succeed(first, successionTimeouts * 10);
		});
	}

	/** The first stays away until its successor has spoken, and the successor for ever after. */
	#succeed(first: SimNode, looks: number): void {
		const world = this.#world;
		if (!world.faulty || looks === 0) return;
		this.#crash(first);
		const second = world.nodes.find(
			(node) => node !== first && node.seen?.role === "leader",
		);
		const { electionTimeoutMs } = world.options;
		if (second === undefined) {
			world.call(electionTimeoutMs / 10, () => this.#succeed(first, looks - 1));
			return;
		}
		world.call(electionTimeoutMs / 2, () => {
			if (!world.faulty || !world.strangers.canLose(second)) return;
			world.coverage.lastWords++;
			world.strangers.die(second);
		});
	}
}
