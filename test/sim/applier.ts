import type { Entry, SnapshotPoint } from "../../src/raft/types.js";
import { EventKind } from "./event-queue.js";
import { RegisterMachine } from "./machine.js";
import type { SimNode } from "./node.js";
import type { SnapshotFile } from "./snapshot-file.js";
import { demand } from "./violation.js";
import type { World } from "./world.js";

/** Brings committed entries to the node's machine: at once, or later and in parts, as a busy daemon does. */
export class Applier {
	machine: RegisterMachine;
	/** While the machine is replaced by a snapshot: its index; else 0. Nothing is applied meanwhile (P46). */
	restoringTo = 0;
	readonly #world: World;
	readonly #node: SimNode;
	/** What the core has handed out: up to here. */
	#handedOut = 0;
	#planned = false;
	/** The alarms that the core was last told of. */
	#alarms: ReadonlyMap<string, unknown> | null = null;

	constructor(world: World, node: SimNode) {
		this.#world = world;
		this.#node = node;
		this.machine = new RegisterMachine(world.options.workload.keys);
	}

	/** From the snapshot; or further, as a machine may keep its own state on disk, never ahead of the commit there. */
	restart(snapshot: SnapshotFile | null): void {
		const { options, coverage, oracles } = this.#world;
		const { random, disk, log } = this.#node;
		const kept = Math.min(this.machine.applied, disk.commit);
		this.machine =
			snapshot?.state.copy() ?? new RegisterMachine(options.workload.keys);
		if (snapshot !== null) oracles.snapshotRestored(this.#node, snapshot);
		if (random.chance(options.driver.durableMachineChance)) {
			coverage.restartsFromMachine++;
			for (let at = this.machine.applied; at < kept; at++)
				this.machine.apply(log[at] as Entry);
		}
		this.#handedOut = this.machine.applied;
		this.#planned = false;
		this.restoringTo = 0;
		this.#alarms = null;
	}

	/** The core has the machine replaced. What it handed out before is dropped. */
	restore({ index }: SnapshotPoint): void {
		const world = this.#world;
		const file = this.#node.disk.snapshots.find(
			({ point }) => point.index === index,
		);
		demand(
			file !== undefined,
			"snapshot-durable",
			() => `${this.#node.id} is to restore a snapshot at ${index} it has not`,
		);
		world.coverage.snapshotsInstalled++;
		this.#handedOut = index;
		this.restoringTo = index;
		const delayMs = this.#node.random.exponential(
			world.options.snapshots.restoreMs,
		);
		this.#node.later(delayMs, () => this.#restored(file));
	}

	#restored(file: SnapshotFile): void {
		if (this.restoringTo !== file.point.index) return;
		this.restoringTo = 0;
		this.machine = file.state.copy();
		this.#world.oracles.snapshotRestored(this.#node, file);
		this.#node.raft?.applied(file.point.index);
		this.#moved();
		if (this.machine.applied < this.#handedOut) this.#plan();
	}

	/** The core hands out a range to apply. */
	take(range: { readonly first: number; readonly last: number }): void {
		this.#world.oracles.log.handedOut(this.#node, range, this.#handedOut);
		this.#handedOut = range.last;
		if (this.restoringTo > 0) return;
		if (this.#world.options.driver.applyMs === 0) this.apply();
		else this.#plan();
	}

	/** Applies what was handed out, or the first part of it. */
	apply(): void {
		this.#planned = false;
		if (this.restoringTo > 0 || this.machine.applied >= this.#handedOut) return;
		const { options, mutant } = this.#world;
		const { random, raft, log } = this.#node;
		const first = this.machine.applied + 1;
		const partial = options.driver.applyMs > 0 && random.chance(0.3);
		const last = partial
			? random.whole(first, this.#handedOut)
			: this.#handedOut;
		const entries = raft?.entries(first, last) ?? log.slice(first - 1, last);
		const skips = mutant === "skip-apply" && random.chance(0.01);
		for (const entry of skips ? entries.slice(1) : entries)
			this.#execute(entry);
		raft?.applied(last);
		this.#moved();
		if (last < this.#handedOut) this.#plan();
	}

	#execute(entry: Entry): void {
		const { oracles } = this.#world;
		const node = this.#node;
		demand(
			entry.level <= node.reads,
			"unreadable-entry",
			() =>
				`${node.id} reads up to level ${node.reads}; entry ${entry.index} has ${entry.level}`,
		);
		const result = this.machine.apply(entry);
		oracles.log.applied(node, entry);
		if (result !== null) oracles.sessions.applied(node, entry, result);
	}

	/** The machine stands somewhere else. */
	#moved(): void {
		const { workload } = this.#world;
		workload.applied(this.#node);
		this.#node.snapshots.applied();
		const { alarms } = this.machine.control;
		if (alarms === this.#alarms) return;
		this.#alarms = alarms;
		this.#node.raft?.distrust(new Set(this.machine.wentBack()));
	}

	#plan(): void {
		if (this.#planned) return;
		this.#planned = true;
		const { applyMs } = this.#world.options.driver;
		const delayMs = this.#node.random.exponential(applyMs);
		this.#world.schedule(delayMs, EventKind.apply, this.#node, null);
	}
}
