import { ratesWithin } from "./clock.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/** Nodes that are there, but not as they should be: they stand still, their disks are slow, their clocks differ. */
export class Slowness {
	readonly #world: World;
	readonly #random: Random;
	/** How long it lasts. */
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

	/** The process does not run: nothing is handled, then everything at once; or the machine stands still, and hears nothing. */
	pause(node: SimNode): void {
		const { electionTimeoutMs } = this.#world.options;
		const isDeaf = this.#random.chance(0.4);
		// Long enough that the others find another leader, of whom this node then knows nothing.
		const lastsMs = isDeaf
			? electionTimeoutMs * this.#random.between(1, 6)
			: this.#lastsMs();
		this.standStill(node, lastsMs, isDeaf);
	}

	standStill(node: SimNode, lastsMs: number, isDeaf: boolean): void {
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
	diskStall(node: SimNode): void {
		const { coverage, nowMs, operator } = this.#world;
		coverage.diskStalls++;
		node.disk.stalledUntilMs = nowMs + this.#lastsMs();
		if (node.raft === null || !this.#random.chance(0.2)) return;
		this.pause(node);
		operator.ask(node);
	}

	slowDisk(node: SimNode): void {
		this.#world.coverage.slowDisks++;
		node.disk.slowness = this.#random.scaled(2, 30);
		this.#world.call(this.#lastsMs(), () => {
			node.disk.slowness = 1;
		});
	}

	clock(node: SimNode): void {
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
		const { slowest, fastest } = this.rates();
		if (!this.#keepsDrift) return this.#random.scaled(slowest, fastest);
		// At the bound is where it matters.
		if (this.#random.chance(0.5)) return this.#random.pick([slowest, fastest]);
		return this.#random.between(slowest, fastest);
	}

	/** Between which rates a clock may run. */
	rates(): { slowest: number; fastest: number } {
		if (!this.#keepsDrift) return { slowest: 0.15, fastest: 2.5 };
		return ratesWithin(this.#world.options.maxClockDrift);
	}
}
