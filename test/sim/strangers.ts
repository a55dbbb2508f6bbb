import type { SimNode } from "./node.js";
import { Random } from "./random.js";
import type { World } from "./world.js";

/**
 * Nodes at the edges of membership: those that are to join, those that were removed and go on running for a while, and
 * those that are dead for good, whose names nobody may use again (P24, P31).
 */
export class Strangers {
	readonly #world: World;
	readonly #random: Random;
	readonly #dead = new Set<string>();
	/** Those that may not start again, but do not know it yet. */
	readonly doomed = new Set<string>();
	/** When each was first seen to be in no configuration. */
	readonly #sinceMs = new Map<SimNode, number>();
	#names = 0;

	constructor(world: World) {
		this.#world = world;
		this.#random = new Random(world.options.seed, 7);
	}

	/** Nobody may count on it any more. */
	isDead(id: string): boolean {
		return this.isBuried(id) || this.doomed.has(id);
	}

	/** It never runs again. */
	isBuried(id: string): boolean {
		return this.#dead.has(id);
	}

	/** A name that no disk ever had. */
	newName(): string {
		return `n${++this.#names}`;
	}

	/** A new node with an empty disk, that waits to be added. It may come up late, or never. */
	join(): SimNode | null {
		const world = this.#world;
		const { lateChance } = world.options.operator;
		const node = world.addNode(this.newName());
		if (node === null) return null;
		world.coverage.joins++;
		world.upgrades.install(node);
		if (!world.faulty || !this.#random.chance(lateChance)) {
			node.start();
			return node;
		}
		world.coverage.lateJoins++;
		if (this.#random.chance(0.5)) this.#bury(node);
		else
			world.call(
				this.#random.exponential(world.options.operator.strangerMs),
				() => {
					if (world.nodes.includes(node)) world.faults.restart(node);
				},
			);
		return node;
	}

	/** Whether all that may come into force could do without `node`. */
	canLose(node: SimNode): boolean {
		const { memberships } = this.#world.oracles;
		return memberships.survive((id) => id === node.id || this.isDead(id));
	}

	/** The node is gone for good; in configurations it stays until somebody removes it. */
	die(node: SimNode): void {
		const world = this.#world;
		world.trace.note(world.nowMs, "dies", node.id);
		if (node.raft !== null) node.crash();
		this.#bury(node);
	}

	#bury(node: SimNode): void {
		this.#dead.add(node.id);
		this.#world.removeNode(node);
	}

	/** The disk is lost. Something comes up under its name, with an empty one. */
	wipe(node: SimNode): void {
		this.die(node);
		this.#world.coverage.wipes++;
		this.#world.replaceProcess(node)?.start();
	}

	/** Nodes that nobody needs any more are switched off after a while. */
	look(): void {
		const { nodes, nowMs, oracles, options, coverage } = this.#world;
		for (const node of [...nodes]) {
			if (oracles.memberships.isMember(node.id)) {
				this.#sinceMs.delete(node);
				continue;
			}
			const since = this.#sinceMs.get(node) ?? nowMs;
			this.#sinceMs.set(node, since);
			if (nowMs - since < options.operator.strangerMs) continue;
			coverage.switchedOff++;
			this.#sinceMs.delete(node);
			this.die(node);
		}
	}

	/** Running nodes that are no members: to be added, or added again. */
	waiting(): SimNode[] {
		const { nodes, oracles } = this.#world;
		return nodes.filter(({ id }) => !oracles.memberships.isMember(id));
	}
}
