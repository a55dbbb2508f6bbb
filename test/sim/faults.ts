import type { Write } from "../../src/raft/types.js";
import { Ambushes, jointAmong } from "./ambushes.js";
import { ratesWithin } from "./clock.js";
import { Cuts } from "./cuts.js";
import { LeaderPlots } from "./leader-plots.js";
import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import type { World } from "./world.js";

type Fault = keyof World["options"]["faults"]["weights"];

/** What goes wrong, when, and for how long. Faults overlap freely; each ends by itself. */
export class Faults {
	readonly #world: World;
	readonly #random: Random;
	readonly #cuts: Cuts;
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
		this.#cuts = cuts;
		this.#plots = new LeaderPlots({
			...{ ...shared, cuts },
			fallAsleep: (node, lastsMs) => this.#standStill(node, lastsMs, true),
			rates: () => this.#rates(),
		});
		this.#ambushes = new Ambushes({
			...{ ...shared, cuts },
			crash: (node) => this.crash(node),
		});
	}

	begin(): void {
		const { meanMs, weights, deposeMs, lateTransferMs } =
			this.#world.options.faults;
		const isQuiet = Object.values(weights).every((weight) => weight === 0);
		this.#repeat(isQuiet ? 0 : meanMs, () => this.#strike(this.#draw()));
		this.#repeat(deposeMs, () => this.#plots.depose());
		this.#repeat(lateTransferMs, () => this.#plots.lateTransfer());
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

	/** A node has just handed a write to its disk: sometimes the power fails, before it is done or soon after. */
	wrote(node: SimNode, { entries }: Write): void {
		const { options, faulty } = this.#world;
		const joint = node.seen?.role === "leader" ? jointAmong(entries) : null;
		if (joint !== null) this.#ambushes.entered(node, joint);
		const { crashOnWriteChance } = options.faults;
		// Votes are rare, and forgetting one is the worst that can happen.
		const chance = crashOnWriteChance * (entries.length === 0 ? 10 : 1);
		if (!faulty || !this.#random.chance(chance)) return;
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
				this.#pause(node);
				break;
			case "diskStall":
				this.#diskStall(node);
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

	/** The process does not run: nothing is handled, then everything at once; or the machine stands still, and hears nothing. */
	#pause(node: SimNode): void {
		const { electionTimeoutMs } = this.#world.options;
		const isDeaf = this.#random.chance(0.4);
		// Long enough that the others find another leader, of whom this node then knows nothing.
		const lastsMs = isDeaf
			? electionTimeoutMs * this.#random.between(1, 6)
			: this.#lastsMs();
		this.#standStill(node, lastsMs, isDeaf);
	}

	#standStill(node: SimNode, lastsMs: number, isDeaf: boolean): void {
		if (node.raft === null || node.backlog !== null) return;
		this.#world.coverage.pauses++;
		node.backlog = [];
		node.deaf = isDeaf;
		const { epoch } = node;
		this.#world.call(lastsMs, () => {
			if (node.epoch === epoch) this.#world.resume(node);
		});
	}

	/** Sometimes the whole machine hangs on it, and is asked for a change when it goes on. */
	#diskStall(node: SimNode): void {
		const { coverage, nowMs, operator } = this.#world;
		coverage.diskStalls++;
		node.disk.stalledUntilMs = nowMs + this.#lastsMs();
		if (node.raft === null || !this.#random.chance(0.2)) return;
		this.#pause(node);
		operator.ask(node);
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
		const jumpMs =
			this.#keepsDrift || this.#random.chance(0.5)
				? 0
				: this.#random.between(0.2, 3) * electionTimeoutMs;
		node.clock.set(this.#rate(), jumpMs);
	}

	/** Where leases are given, clocks keep to what the core is told of them (P43). */
	get #keepsDrift(): boolean {
		const { options, broken } = this.#world;
		return options.leases && broken !== "clock-drift";
	}

	#rate(): number {
		const { slowest, fastest } = this.#rates();
		if (!this.#keepsDrift) return this.#random.scaled(slowest, fastest);
		// At the bound is where it matters.
		if (this.#random.chance(0.5)) return this.#random.pick([slowest, fastest]);
		return this.#random.between(slowest, fastest);
	}

	#rates(): { slowest: number; fastest: number } {
		if (!this.#keepsDrift) return { slowest: 0.15, fastest: 2.5 };
		return ratesWithin(this.#world.options.maxClockDrift);
	}
}
