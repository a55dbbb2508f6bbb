import type { Write } from "../../src/raft/types.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import type { World } from "./world.js";

type Fault = keyof World["options"]["faults"]["weights"];

/** What goes wrong, when, and for how long. Faults overlap freely; each ends by itself. */
export class Faults {
	readonly #world: World;
	readonly #random: Random;

	constructor(world: World) {
		this.#world = world;
		this.#random = new Random(world.options.seed, 4);
	}

	begin(): void {
		const { meanMs, weights } = this.#world.options.faults;
		if (Object.values(weights).every((weight) => weight === 0)) return;
		const again = () => {
			if (!this.#world.faulty) return;
			this.#strike(this.#draw());
			this.#world.call(this.#random.exponential(meanMs), again);
		};
		this.#world.call(this.#random.exponential(meanMs), again);
	}

	/** A node has just handed a write to its disk: sometimes the power fails, before it is done or soon after. */
	wrote(node: SimNode, { entries }: Write): void {
		const { options, faulty } = this.#world;
		const { crashOnWriteChance } = options.faults;
		// Votes are rare, and forgetting one is the worst that can happen.
		const chance = crashOnWriteChance * (entries.length === 0 ? 10 : 1);
		if (!faulty || !this.#random.chance(chance)) return;
		const { epoch } = node;
		const { disk, network } = options;
		const soonMs = disk.baseMs + disk.jitterMs + network.baseMs;
		this.#world.call(this.#random.exponential(soonMs), () => {
			if (node.epoch === epoch && this.#world.faulty) this.crash(node);
		});
	}

	/** Takes a node down; it comes back after a while, or while what it said is still under way. */
	crash(node: SimNode): void {
		if (node.raft === null) return;
		const world = this.#world;
		node.crash();
		world.trace.note(world.nowMs, "crash", node.id);
		const { epoch } = node;
		const { faults, network } = world.options;
		const downMs = this.#random.chance(faults.quickRestartChance)
			? this.#random.exponential(network.baseMs)
			: this.#lastsMs();
		world.call(downMs, () => {
			if (node.epoch === epoch && world.faulty) this.restart(node);
		});
	}

	/** A write of the node failed: what follows proves nothing any more, so it stops at once (P11). */
	diskFailed(node: SimNode): void {
		this.#world.coverage.fsyncErrors++;
		this.#world.trace.note(this.#world.nowMs, "fsync error", node.id);
		this.crash(node);
	}

	restart(node: SimNode): void {
		if (node.raft !== null) return;
		this.#world.trace.note(this.#world.nowMs, "restart", node.id);
		node.start();
	}

	#draw(): Fault {
		const weights = Object.entries(this.#world.options.faults.weights);
		let point =
			this.#random.next() *
			weights.reduce((sum, [, weight]) => sum + weight, 0);
		for (const [fault, weight] of weights) {
			point -= weight;
			if (point < 0) return fault as Fault;
		}
		return (weights[0] as [string, number])[0] as Fault;
	}

	#strike(fault: Fault): void {
		const world = this.#world;
		const node = this.#target();
		world.trace.note(world.nowMs, fault, node.id);
		switch (fault) {
			case "crash":
				this.crash(node);
				break;
			case "powerLoss":
				world.coverage.powerLosses++;
				for (const one of world.nodes) this.crash(one);
				break;
			case "partition":
				this.#partition();
				break;
			case "oneWay":
				this.#oneWay(node);
				break;
			case "bridge":
				this.#bridge(node);
				break;
			case "depose":
				this.#depose();
				break;
			case "isolate":
				this.#isolate(node);
				break;
			case "pause":
				this.#pause(node);
				break;
			case "diskStall":
				world.coverage.diskStalls++;
				node.disk.stalledUntilMs = world.nowMs + this.#lastsMs();
				break;
			case "slowDisk":
				this.#slowDisk(node);
				break;
			case "clock":
				this.#clock(node);
				break;
			case "fsyncError":
				node.disk.failing = true;
				break;
		}
	}

	/** The leader is hit more often than the others: that is where it hurts. */
	#target(): SimNode {
		const { nodes } = this.#world;
		const leaders = nodes.filter(
			(node) => node.seen?.role === "leader" && node.raft !== null,
		);
		return this.#random.pick(
			leaders.length > 0 && this.#random.chance(0.5) ? leaders : nodes,
		);
	}

	#lastsMs(): number {
		return this.#random.exponential(this.#world.options.faults.lastsMs);
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
	#partition(): void {
		this.#world.coverage.partitions++;
		const side = new Set(
			this.#world.nodes.filter(() => this.#random.chance(0.5)),
		);
		this.#cutWhere((from, to) => side.has(from) !== side.has(to));
	}

	/** Some of the others do not hear the node, but it hears them; or the reverse. */
	#oneWay(node: SimNode): void {
		this.#world.coverage.oneWayCuts++;
		const others = new Set(
			this.#world.nodes.filter(() => this.#random.chance(0.6)),
		);
		const out = this.#random.chance(0.5);
		this.#cutWhere((from, to) =>
			out ? from === node && others.has(to) : to === node && others.has(from),
		);
	}

	/** Two halves that only the node connects; or a ring, in which each hears its neighbours only. */
	#bridge(node: SimNode): void {
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

	#isolate(node: SimNode): void {
		this.#world.coverage.partitions++;
		this.#cutWhere((from, to) => from === node || to === node);
	}

	/** A leader alone, and slow to notice, while its clients go on: there will be another one beside it. */
	#depose(): void {
		const { nodes, options, coverage } = this.#world;
		const leader = nodes.find(
			(node) => node.raft !== null && node.seen?.role === "leader",
		);
		if (leader === undefined) return;
		coverage.depositions++;
		this.#cutWhere(
			(from, to) => from === leader || to === leader,
			options.electionTimeoutMs * this.#random.between(1, 6),
		);
		if (this.#random.chance(0.7))
			leader.clock.set(this.#random.scaled(0.1, 0.7), 0);
	}

	/** The process does not run: nothing is handled, then everything at once. */
	#pause(node: SimNode): void {
		if (node.raft === null || node.backlog !== null) return;
		this.#world.coverage.pauses++;
		node.backlog = [];
		const { epoch } = node;
		this.#world.call(this.#lastsMs(), () => {
			if (node.epoch === epoch) this.#world.resume(node);
		});
	}

	#slowDisk(node: SimNode): void {
		this.#world.coverage.slowDisks++;
		node.disk.slowness = this.#random.scaled(2, 30);
		this.#world.call(this.#lastsMs(), () => {
			node.disk.slowness = 1;
		});
	}

	#clock(node: SimNode): void {
		this.#world.coverage.clockChanges++;
		const { electionTimeoutMs } = this.#world.options;
		const jumpMs = this.#random.chance(0.5)
			? 0
			: this.#random.between(0.2, 3) * electionTimeoutMs;
		node.clock.set(this.#random.scaled(0.4, 2.5), jumpMs);
	}
}
