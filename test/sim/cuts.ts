import type { Configuration } from "../../src/raft/types.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/** Links that are cut, in every shape; each cut ends by itself. */
export class Cuts {
	readonly #world: World;
	readonly #random: Random;
	/** How long one lasts. */
	readonly #lastsMs: () => number;

	constructor(options: {
		readonly world: World;
		readonly random: Random;
		readonly lastsMs: () => number;
	}) {
		this.#world = options.world;
		this.#random = options.random;
		this.#lastsMs = options.lastsMs;
	}

	#cutWhere(
		isCut: (from: SimNode, to: SimNode) => boolean,
		lastsMs = this.#lastsMs(),
	): void {
		const { network } = this.#world;
		this.#endAll(
			this.#links(isCut).map(([from, to]) => network.cut(from, to)),
			lastsMs,
		);
	}

	#links(
		isChosen: (from: SimNode, to: SimNode) => boolean,
	): [SimNode, SimNode][] {
		const { nodes } = this.#world;
		return nodes.flatMap((from) =>
			nodes
				.filter((to) => from !== to && isChosen(from, to))
				.map((to): [SimNode, SimNode] => [from, to]),
		);
	}

	#endAll(mends: readonly (() => void)[], afterMs: number): void {
		this.#world.call(afterMs, () => {
			if (this.#world.faulty) for (const mend of mends) mend();
		});
	}

	/** Two sides that do not hear each other. */
	partition(): void {
		this.#world.coverage.partitions++;
		const side = new Set(
			this.#world.nodes.filter(() => this.#random.chance(0.5)),
		);
		this.#cutWhere((from, to) => side.has(from) !== side.has(to));
	}

	/** The two halves of a joint configuration do not hear each other; whoever is in both is on either side. */
	halves({ voters, outgoing }: Configuration): void {
		const { coverage, nodes } = this.#world;
		coverage.partitions++;
		const old = new Set(
			nodes.filter(({ id }) => {
				const isOld = outgoing.includes(id);
				return isOld && voters.includes(id) ? this.#random.chance(0.5) : isOld;
			}),
		);
		this.#cutWhere((from, to) => old.has(from) !== old.has(to));
	}

	/** Some of the others do not hear the node, but it hears them; or the reverse. */
	oneWay(node: SimNode): void {
		this.#world.coverage.oneWayCuts++;
		const others = new Set(
			this.#world.nodes.filter(() => this.#random.chance(0.6)),
		);
		const out = this.#random.chance(0.5);
		this.#cutWhere((from, to) =>
			out ? from === node && others.has(to) : to === node && others.has(from),
		);
	}

	/** What is sent to the node, or by it, arrives so late that the world has moved on. */
	lag(node: SimNode): void {
		const { options, network, nodes, coverage } = this.#world;
		coverage.lags++;
		const isIncoming = this.#random.chance(0.7);
		const lagMs = options.electionTimeoutMs * this.#random.between(0.2, 2.5);
		const mends = nodes
			.filter((other) => other !== node)
			.map((other) =>
				isIncoming
					? network.lag(other, node, lagMs)
					: network.lag(node, other, lagMs),
			);
		this.#world.call(this.#lastsMs() + lagMs, () => {
			for (const mend of mends) mend();
		});
	}

	/** Two halves that only the node connects; or a ring, in which each hears its neighbours only. */
	bridge(node: SimNode): void {
		const { nodes, coverage } = this.#world;
		coverage.bridges++;
		const order = this.#random.shuffle([...nodes]);
		const place = new Map(order.map((one, at) => [one, at]));
		if (this.#random.chance(0.5)) {
			this.#cutWhere((from, to) => {
				const gap = Math.abs(
					(place.get(from) as number) - (place.get(to) as number),
				);
				return gap !== 1 && gap !== nodes.length - 1;
			});
			return;
		}
		const isLeft = (one: SimNode) =>
			(place.get(one) as number) * 2 < nodes.length;
		this.#cutWhere(
			(from, to) => from !== node && to !== node && isLeft(from) !== isLeft(to),
		);
	}

	isolate(node: SimNode): void {
		this.#world.coverage.partitions++;
		this.#cutWhere((from, to) => from === node || to === node);
	}

	/** Those others do not hear the node for so long. */
	mute(
		node: SimNode,
		isDeaf: (other: SimNode) => boolean,
		lastsMs: number,
	): void {
		this.#world.coverage.oneWayCuts++;
		this.#cutWhere((from, to) => from === node && isDeaf(to), lastsMs);
	}

	/** For so long no entries pass where it says so. */
	narrow(
		isNarrow: (from: SimNode, to: SimNode) => boolean,
		lastsMs: number,
	): void {
		const { network } = this.#world;
		this.#endAll(
			this.#links(isNarrow).map(([from, to]) => network.narrow(from, to)),
			lastsMs,
		);
	}

	/** For so long `some` and all the others do not hear each other. */
	apart(some: readonly SimNode[], lastsMs: number): void {
		this.#cutWhere(
			(from, to) => some.includes(from) !== some.includes(to),
			lastsMs,
		);
	}

	/** `node` hears nobody for so long. */
	deafen(node: SimNode, lastsMs: number): void {
		this.#cutWhere((_, to) => to === node, lastsMs);
	}
}
