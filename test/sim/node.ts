import { Raft } from "../../src/raft/raft.js";
import type { Entry, Message, Status } from "../../src/raft/types.js";
import { Applier } from "./applier.js";
import { LocalClock, ratesWithin } from "./clock.js";
import type { Coverage } from "./coverage.js";
import { SimDisk } from "./disk.js";
import { Driver } from "./driver.js";
import { EventKind, type SimEvent } from "./event-queue.js";
import { HandedLog } from "./handed-log.js";
import type { RegisterMachine } from "./machine.js";
import { raftOptions } from "./options.js";
import { watchAppend } from "./oracles/commit-rules.js";
import { Random } from "./random.js";
import { align, type Recovered, restoredFrom } from "./recovery.js";
import { Snapshots } from "./snapshots.js";
import type { World } from "./world.js";

/**
 * A node: the core under test with a driver that obeys `Ready` to the letter, on a simulated disk, clock and network.
 * The driver's own order is part of the contract, so it is spelt out here step by step.
 */
export class SimNode {
	readonly id: string;
	readonly position: number;
	readonly disk: SimDisk;
	readonly random: Random;
	readonly clock: LocalClock;
	/** Rises with every crash; what an earlier incarnation had under way is void. */
	epoch = 0;
	/** Null while the node is down. */
	raft: Raft | null = null;
	readonly applier: Applier;
	readonly snapshots: Snapshots;
	readonly driver: Driver;
	/** The log as handed to the disk, under way or durable. */
	readonly handed = new HandedLog();
	/** The highest level of entries that its release reads. */
	reads = 1;
	/** Its disk went back to what it held before: what it once said need not hold. */
	rolledBack = false;
	/** It began with an empty disk under a name that another disk belongs to. */
	forgetful = false;
	/** The last term in which it asked another to campaign. */
	handedOverIn = 0;
	/** What it took for committed when it started. */
	startCommit = 0;
	/** The status at the last look, by which the oracles see what changed. */
	seen: Status | null = null;
	/** While paused, what arrives waits here. */
	backlog: SimEvent[] | null = null;
	/** While paused, what others say is lost. */
	deaf = false;
	/** The clock at the last tick: all that the core knows of time. */
	tickMs = 0;
	readonly #world: World;
	#incarnations = 0;

	constructor(world: World, id: string, position: number) {
		this.#world = world;
		this.id = id;
		this.position = position;
		this.random = new Random(world.options.seed, 100 + position);
		this.disk = new SimDisk({
			...{ options: world.options.disk, random: this.random },
			...{ mutant: world.mutant, prefix: world.prefix },
		});
		this.applier = new Applier(world, this);
		this.snapshots = new Snapshots(world, this);
		this.driver = new Driver(world, this);
		this.clock = new LocalClock(() => world.nowMs, this.random.between(0, 1e6));
		const { leases, maxClockDrift } = world.options;
		const { slowest, fastest } = ratesWithin(leases ? maxClockDrift : 0);
		this.clock.set(this.random.pick([slowest, 1, fastest]), 0);
	}

	get log(): readonly Entry[] {
		return this.handed.entries;
	}

	get logBytes(): readonly number[] {
		return this.handed.bytes;
	}

	get machine(): RegisterMachine {
		return this.applier.machine;
	}

	/** False when nothing can be made of what is on its disk. */
	start(): boolean {
		const world = this.#world;
		const recovered = align(this.disk);
		countRecovery(world.coverage, recovered);
		if (recovered.alignment === "damaged") return false;
		const { snapshot } = recovered;
		this.handed.replace(this.disk.entries);
		this.startCommit = Math.max(this.disk.commit, this.disk.snapshotIndex);
		this.driver.restart();
		this.applier.restart(snapshot);
		this.seen = null;
		this.tickMs = this.clock.nowMs;
		this.raft = new Raft(
			raftOptions(world.options, this.id, this.#dice()),
			restoredFrom(this.disk, snapshot, this.machine.applied),
			this.tickMs,
		);
		this.raft.distrust(new Set(this.machine.wentBack()));
		this.snapshots.restart();
		world.oracles.started(this);
		world.schedule(
			this.random.next() * world.options.tickMs,
			EventKind.tick,
			this,
			null,
		);
		this.settle();
		return true;
	}

	/** Something of this process's own, later; void after a crash, and waits while it is paused. */
	later(delayMs: number, act: () => void): void {
		this.#world.schedule(delayMs, EventKind.work, this, act);
	}

	/** Power off: what was only in memory is gone. */
	crash(): void {
		const { coverage, oracles } = this.#world;
		coverage.crashes++;
		oracles.watch.crashed(this);
		if (this.disk.underWay > 0) coverage.crashesDuringWrite++;
		const { kept, lost } = this.disk.crash();
		if (kept > 0) coverage.keptPendingCrashes++;
		if (lost > 0) coverage.lostSuffixCrashes++;
		this.epoch++;
		this.raft = null;
		this.backlog = null;
		this.#world.workload.nodeCrashed(this);
		this.#world.operator.nodeCrashed(this);
	}

	/** Time goes on for the core. */
	tick(): void {
		const { campaigns, leaders } = this.#world.oracles;
		const raft = this.raft as Raft;
		const elapsedMs = this.clock.nowMs - this.tickMs;
		this.tickMs = this.clock.nowMs;
		campaigns.watch(this, () => raft.tick(this.tickMs));
		leaders.ticked(this, raft.status(), elapsedMs);
	}

	receive(message: Message): void {
		const { oracles } = this.#world;
		const raft = this.raft as Raft;
		oracles.arriving(this, message);
		if (message.type === "vote-request") {
			const termBefore = raft.status().term;
			oracles.campaigns.asked(this, message, () =>
				raft.step(message, this.clock.nowMs),
			);
			oracles.handled(this, message, termBefore);
		} else if (message.type === "timeout-now")
			oracles.campaigns.watch(this, () => raft.step(message, this.clock.nowMs));
		else if (message.type === "append-request")
			watchAppend(this, message, () => raft.step(message, this.clock.nowMs));
		else raft.step(message, this.clock.nowMs);
		this.settle();
	}

	/** After any input. */
	settle(): void {
		this.driver.settle();
	}

	/** The core's own dice; every incarnation has others. */
	#dice(): () => number {
		const stream = 1000 + this.position * 1_000_000 + this.#incarnations++;
		const random = new Random(this.#world.options.seed, stream);
		return () => random.next();
	}
}

function countRecovery(
	coverage: Coverage,
	{ alignment, fellBack }: Recovered,
): void {
	if (fellBack) coverage.snapshotFallbacks++;
	if (alignment === "reset") coverage.logResetsAtStart++;
	else if (alignment === "suffix kept") coverage.suffixesKeptAtStart++;
	else if (alignment === "damaged") coverage.damagedDisks++;
}
