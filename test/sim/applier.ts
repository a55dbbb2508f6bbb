import type { Entry } from "../../src/raft/types.js";
import { EventKind } from "./event-queue.js";
import { RegisterMachine } from "./machine.js";
import type { SimNode } from "./node.js";
import type { World } from "./world.js";

/** Brings committed entries to the node's machine: at once, or later and in parts, as a busy daemon does. */
export class Applier {
	machine: RegisterMachine;
	readonly #world: World;
	readonly #node: SimNode;
	/** What the core has handed out: up to here. */
	#handedOut = 0;
	#planned = false;

	constructor(world: World, node: SimNode) {
		this.#world = world;
		this.#node = node;
		this.machine = new RegisterMachine(world.options.workload.keys);
	}

	/** A machine may keep its own state on disk; it is never ahead of the commit hint there. */
	restart(): void {
		const { driver, workload } = this.#world.options;
		const { random, disk, log } = this.#node;
		const kept = Math.min(this.machine.applied, disk.commit);
		this.machine = new RegisterMachine(workload.keys);
		if (random.chance(driver.durableMachineChance)) {
			this.#world.coverage.restartsFromMachine++;
			for (let at = 0; at < kept; at++) this.machine.apply(log[at] as Entry);
		}
		this.#handedOut = this.machine.applied;
		this.#planned = false;
	}

	/** The core hands out a range to apply. */
	take(range: { readonly first: number; readonly last: number }): void {
		this.#world.oracles.log.handedOut(this.#node, range, this.#handedOut);
		this.#handedOut = range.last;
		if (this.#world.options.driver.applyMs === 0) this.apply();
		else this.#plan();
	}

	/** Applies what was handed out, or the first part of it. */
	apply(): void {
		this.#planned = false;
		const { options, mutant, oracles, workload } = this.#world;
		const { random, raft, log } = this.#node;
		const first = this.machine.applied + 1;
		const partial = options.driver.applyMs > 0 && random.chance(0.3);
		const last = partial
			? random.whole(first, this.#handedOut)
			: this.#handedOut;
		const entries = raft?.entries(first, last) ?? log.slice(first - 1, last);
		const skips = mutant === "skip-apply" && random.chance(0.01);
		for (const entry of skips ? entries.slice(1) : entries) {
			this.machine.apply(entry);
			oracles.log.applied(this.#node, entry);
		}
		raft?.applied(last);
		workload.reads.applied(this.#node);
		if (last < this.#handedOut) this.#plan();
	}

	#plan(): void {
		if (this.#planned) return;
		this.#planned = true;
		const { applyMs } = this.#world.options.driver;
		const delayMs = this.#node.random.exponential(applyMs);
		this.#world.schedule(delayMs, EventKind.apply, this.#node, null);
	}
}
