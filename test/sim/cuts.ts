import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/** Links that are cut, in every shape; each cut ends by itself. */
export class Cuts {
	readonly #world: World;
	readonly #random: Random;
	/** How long one lasts. */
	readonly #lastsMs: () => number;
	/** At which rate a clock may run. */
	readonly #rate: () => number;

	constructor(options: {
		readonly world: World;
		readonly random: Random;
		readonly lastsMs: () => number;
		readonly rate: () => number;
	}) {
		this.#world = options.world;
		this.#random = options.random;
		this.#lastsMs = options.lastsMs;
		this.#rate = options.rate;
	}

	#cutWhere(
		isCut: (from: SimNode, to: SimNode) => boolean,
		lastsMs = this.#lastsMs(),
	): void {
		const { network, nodes } = this.#world;
		const mends: (() => void)[] = [];
		for (const from of nodes) {
			for (const to of nodes) {
				if (from !== to && isCut(from, to)) mends.push(network.cut(from, to));
			}
		}
		this.#world.call(lastsMs, () => {
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

	/** A leader alone, and slow to notice, while its clients go on: there will be another one beside it. */
	depose(): void {
		const { options, coverage } = this.#world;
		const leader = this.#leader();
		if (leader === null) return;
		coverage.depositions++;
		const cut = () =>
			this.#cutWhere(
				(from, to) => from === leader || to === leader,
				options.electionTimeoutMs * this.#random.between(1, 6),
			);
		if (this.#random.chance(0.8))
			leader.clock.set(Math.min(this.#rate(), this.#rate()), 0);
		if (this.#random.chance(0.5)) this.#hurryOthers(leader);
		if (this.#random.chance(0.5)) cut();
		else this.#lateAnswers(leader, cut);
	}

	/** The others lose patience early. */
	#hurryOthers(leader: SimNode): void {
		for (const node of this.#world.nodes)
			if (node !== leader)
				node.clock.set(Math.max(this.#rate(), this.#rate()), 0);
	}

	/** What it hears is old already, and still comes in when it is alone. */
	#lateAnswers(leader: SimNode, then: () => void): void {
		const { options, network, nodes } = this.#world;
		const lagMs = options.electionTimeoutMs * this.#random.between(0.2, 2);
		const mends = nodes
			.filter((other) => other !== leader)
			.map((other) => network.lag(other, leader, lagMs));
		this.#world.call(lagMs * this.#random.between(1, 1.5), () => {
			for (const mend of mends) mend();
			if (this.#world.faulty) then();
		});
	}

	/**
	 * A leader hands over, and what it asks for arrives late: perhaps only when it has given that up, and serves again. It
	 * does not hear what comes of it (P37).
	 */
	lateTransfer(): void {
		const { options, network, nodes, workload, coverage } = this.#world;
		const leader = this.#leader();
		if (leader === null || leader.backlog !== null) return;
		coverage.lateTransfers++;
		const lagMs = options.electionTimeoutMs * this.#random.scaled(0.1, 1.5);
		const mends = nodes
			.filter((other) => other !== leader)
			.map((other) => network.lag(leader, other, lagMs));
		workload.transfer(leader, null);
		leader.settle();
		this.#cutWhere((_, to) => to === leader, lagMs + this.#lastsMs());
		this.#world.call(lagMs, () => {
			for (const mend of mends) mend();
		});
	}

	#leader(): SimNode | null {
		const leads = ({ raft, seen }: SimNode) =>
			raft !== null && seen?.role === "leader";
		return this.#world.nodes.find(leads) ?? null;
	}
}
