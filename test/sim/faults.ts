import type { Write } from "../../src/raft/types.js";
import { Ambushes, jointAmong } from "./ambushes.js";
import { Cuts } from "./cuts.js";
import { LeaderPlots } from "./leader-plots.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import { Slowness } from "./slowness.js";
import type { World } from "./world.js";

type Fault = keyof World["options"]["faults"]["weights"];

/** What goes wrong, when, and for how long. Faults overlap freely; each ends by itself. */
export class Faults {
	readonly #world: World;
	readonly #random: Random;
	readonly #cuts: Cuts;
	readonly #slowness: Slowness;
	readonly #plots: LeaderPlots;
	readonly #ambushes: Ambushes;

	constructor(world: World) {
		this.#world = world;
		this.#random = new Random(world.options.seed, 4);
		const shared = {
			...{ world, random: this.#random },
			lastsMs: () => this.#lastsMs(),
		};
		const cuts = new Cuts(shared);
		const slowness = new Slowness(shared);
		this.#cuts = cuts;
		this.#slowness = slowness;
		this.#plots = new LeaderPlots({
			...{ ...shared, cuts },
			fallAsleep: (node, lastsMs) => slowness.standStill(node, lastsMs, true),
			crash: (node) => this.crash(node),
			rates: () => slowness.rates(),
		});
		this.#ambushes = new Ambushes({
			...{ ...shared, cuts },
			crash: (node) => this.crash(node),
		});
	}

	begin(): void {
		const { meanMs, weights, deposeMs, lateTransferMs, lastWordMs } =
			this.#world.options.faults;
		const isQuiet = Object.values(weights).every((weight) => weight === 0);
		this.#repeat(isQuiet ? 0 : meanMs, () => this.#strike(this.#draw()));
		this.#repeat(deposeMs, () => this.#plots.depose());
		this.#repeat(lateTransferMs, () => this.#plots.lateTransfer());
		this.#repeat(lastWordMs, () => this.#plots.lastWord());
	}

	/** Does `act` again and again, `meanMs` apart on average; 0 for never. */
	#repeat(meanMs: number, act: () => void): void {
		if (meanMs === 0) return;
		const again = () => {
			if (!this.#world.faulty) return;
			act();
			this.#world.call(this.#random.exponential(meanMs), again);
		};
		this.#world.call(this.#random.exponential(meanMs), again);
	}

	/**
	 * A node has just handed a write to its disk: sometimes the power fails, before it is done or soon after. Where older
	 * entries had to go, that shows what is left of them (P16).
	 */
	wrote(node: SimNode, { entries }: Write, isOver: boolean): void {
		const { options, faulty } = this.#world;
		const joint = node.seen?.role === "leader" ? jointAmong(entries) : null;
		if (joint !== null) this.#ambushes.entered(node, joint);
		const { crashOnWriteChance, crashOnCutChance } = options.faults;
		// Votes are rare, and forgetting one is the worst that can happen.
		const chance = crashOnWriteChance * (entries.length === 0 ? 10 : 1);
		const own = isOver ? Math.max(chance, crashOnCutChance) : chance;
		if (!faulty || !this.#random.chance(own)) return;
		const { disk, network } = options;
		this.#crashSoon(node, disk.baseMs + disk.jitterMs + network.baseMs);
	}

	/** A snapshot's file is durable on the node, and the log does not say so yet. */
	snapshotCame(node: SimNode): void {
		const { options, faulty } = this.#world;
		const { crashOnSnapshotChance } = options.faults;
		if (faulty && this.#random.chance(crashOnSnapshotChance))
			this.#crashSoon(node, options.disk.baseMs);
	}

	#crashSoon(node: SimNode, soonMs: number): void {
		const { epoch } = node;
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
		const world = this.#world;
		if (node.raft !== null || world.strangers.isBuried(node.id)) return;
		const fullForMs = node.disk.fullUntilMs - world.nowMs;
		if (fullForMs > 0) {
			world.call(fullForMs, () => this.restart(node));
			return;
		}
		world.trace.note(world.nowMs, "restart", node.id);
		world.upgrades.install(node);
		// It refuses to start: its data directory is given up, and with it its name.
		if (!node.start()) world.strangers.die(node);
		else world.strangers.doomed.delete(node.id);
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
				this.#cuts.partition();
				break;
			case "oneWay":
				this.#cuts.oneWay(node);
				break;
			case "bridge":
				this.#cuts.bridge(node);
				break;
			case "lag":
				this.#cuts.lag(node);
				break;
			case "isolate":
				this.#cuts.isolate(node);
				break;
			case "pause":
				this.#slowness.pause(node);
				break;
			case "diskStall":
				this.#slowness.diskStall(node);
				break;
			case "slowDisk":
				this.#slowness.slowDisk(node);
				break;
			case "clock":
				this.#slowness.clock(node);
				break;
			case "fsyncError":
				node.disk.failing = true;
				break;
			case "fullDisk":
				world.coverage.fullDisks++;
				node.disk.failing = true;
				node.disk.fullUntilMs = world.nowMs + this.#lastsMs();
				break;
			case "corrupt":
				this.#corrupt(node);
				break;
			case "wipe":
				if (world.strangers.canLose(node)) world.strangers.wipe(node);
				break;
		}
	}

	/** Something was written where it does not belong. It shows when the node reads it: at its next start. */
	#corrupt(node: SimNode): void {
		const { disk } = node;
		const { newest } = disk;
		const older = disk.snapshots.at(-2);
		// The log since the older snapshot is there: nothing is lost with the newer one.
		const isSpare = older !== undefined && disk.base <= older.point.index;
		if (!this.#world.strangers.canLose(node)) return;
		this.#world.strangers.doomed.add(node.id);
		if (newest !== undefined && isSpare && this.#random.chance(0.8))
			disk.damaged.add(newest);
		else disk.logDamaged = true;
		this.#crashSoon(node, this.#world.options.network.baseMs);
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
}
