import { Raft } from "../../src/raft/raft.js";
import type {
	Entry,
	Fetch,
	Message,
	Ready,
	Status,
	Write,
} from "../../src/raft/types.js";
import { Applier } from "./applier.js";
import { LocalClock, ratesWithin } from "./clock.js";
import type { Coverage } from "./coverage.js";
import { SimDisk } from "./disk.js";
import { EventKind, type SimEvent } from "./event-queue.js";
import { HandedLog } from "./handed-log.js";
import type { RegisterMachine } from "./machine.js";
import { raftOptions } from "./options.js";
import { watchAppend } from "./oracles/commit-rules.js";
import { Outbox } from "./outbox.js";
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
	/** The log as handed to the disk, under way or durable. */
	readonly handed = new HandedLog();
	/** The highest level of entries that its release reads. */
	reads = 1;
	/** Its disk went back to what it held before: what it once said need not hold. */
	rolledBack = false;
	/** It began with an empty disk under a name that another disk belongs to. */
	forgetful = false;
	/** What was applied when the core last heard of its disk: then it lets go of what it needs no more. */
	droppable = 0;
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
	/** What was handed to the disk just now; a crash may be near. */
	wrote: Write | null = null;
	readonly #world: World;
	#incarnations = 0;
	#turnPlanned = false;
	/** The writes whose end the core does not know, oldest first, and the tick after which each was handed in. */
	#unreported: { readonly sequence: number; readonly tickMs: number }[] = [];
	readonly #outbox = new Outbox((message) => this.#send(message));
	#submitted = 0;
	/** The newest write whose end the core knows. */
	#reported = 0;

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

	/** How long its oldest write has been under way; 0 when none is. */
	get writingMs(): number {
		const since = this.disk.oldestSubmittedMs;
		return since === null ? 0 : this.#world.nowMs - since;
	}

	/** The same by the clock of its ticks, as the core sees it: a write counts until the core is told of its end. */
	get pendingMs(): number {
		const [oldest] = this.#unreported;
		return oldest === undefined ? 0 : this.tickMs - oldest.tickMs;
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
		this.#outbox.clear();
		this.#submitted = 0;
		this.#reported = 0;
		this.#unreported = [];
		this.#turnPlanned = false;
		this.applier.restart(snapshot);
		this.seen = null;
		this.droppable = 0;
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
		const { coverage } = this.#world;
		coverage.crashes++;
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
			raft.step(message, this.clock.nowMs);
			oracles.handled(this, message, termBefore);
		} else if (message.type === "timeout-now")
			oracles.campaigns.watch(this, () => raft.step(message, this.clock.nowMs));
		else if (message.type === "append-request")
			watchAppend(this, message, () => raft.step(message, this.clock.nowMs));
		else raft.step(message, this.clock.nowMs);
		this.settle();
	}

	/** After any input: handle what the core has ready, at once or when the loop comes round. */
	settle(): void {
		const { turnMs } = this.#world.options.driver;
		if (turnMs === 0) {
			this.turn();
			return;
		}
		if (this.#turnPlanned) return;
		this.#turnPlanned = true;
		this.#world.schedule(
			this.random.next() * turnMs,
			EventKind.turn,
			this,
			null,
		);
	}

	turn(): void {
		this.#turnPlanned = false;
		const raft = this.raft as Raft;
		let rounds = 0;
		while (raft.hasReady()) {
			this.#process(raft.ready(), raft);
			if (++rounds > 1000) throw new Error("hasReady never ends");
		}
		if (rounds === 0) this.#world.oracles.observe(this, raft.status());
		this.#world.workload.reads.settled(this);
	}

	#process(ready: Ready, raft: Raft): void {
		const world = this.#world;
		const { oracles, workload, coverage, mutant } = world;
		if (ready.write !== null) this.#submit(ready.write);
		if (ready.restore !== null) this.applier.restore(ready.restore);
		const status = raft.status();
		oracles.observe(this, status);
		if (ready.changed) this.#noteRole(status);
		for (const message of ready.messages) oracles.said(this, message);
		for (const message of ready.messagesAfterSync) oracles.said(this, message);
		for (const message of ready.messages) this.#send(message);
		const lies = mutant === "send-before-durable";
		const done = lies ? ready.afterSequence : this.disk.done;
		if (this.#outbox.take(ready, done)) coverage.heldForSync++;
		if (ready.committed !== null) this.applier.take(ready.committed);
		for (const outcome of ready.proposals)
			workload.proposalEnded(this, outcome);
		for (const outcome of ready.reads) workload.reads.indexed(this, outcome);
		for (const outcome of ready.transfers)
			workload.transferEnded(this, outcome);
		for (const outcome of ready.changes)
			world.operator.changeEnded(this, outcome);
		for (const alarm of ready.alarms) world.operator.alarmed(this, alarm);
		for (const fetch of ready.fetches) this.#fetch(fetch);
		if (ready.download !== null) this.snapshots.download.want(ready.download);
		if (ready.write !== null && mutant === "complete-before-durable")
			raft.appended(ready.write.sequence);
	}

	#submit(write: Write): void {
		const world = this.#world;
		world.oracles.log.handedIn(this, write, this.#submitted + 1);
		this.#submitted = write.sequence;
		const { sequence } = write;
		this.#unreported.push({ sequence, tickMs: this.tickMs });
		const first = write.entries[0];
		this.handed.take(write, world.prefix);
		const doneMs = this.disk.submit(write, world.nowMs);
		world.schedule(doneMs - world.nowMs, EventKind.disk, this, null);
		this.wrote = write;
		world.trace.note(world.nowMs, `${this.id} writes`, {
			sequence: write.sequence,
			term: write.hardState?.term,
			vote: write.hardState?.votedFor,
			...(write.reset === null ? {} : { reset: write.reset.index }),
			from: first?.index,
			entries: write.entries.length,
		});
		if (world.mutant === "apply-before-committed") {
			for (const entry of write.entries) world.oracles.log.applied(this, entry);
		}
	}

	/** The disk may have finished writes; tells the core of each, or of all of them at once. */
	diskEvent(): void {
		const world = this.#world;
		// A process that does not run learns nothing yet: its disk fails it later.
		if (this.backlog === null && this.disk.fails(world.nowMs)) {
			if (world.mutant === "ignore-fsync-error") {
				this.disk.forget();
				this.reportDisk();
			} else world.faults.diskFailed(this);
			return;
		}
		if (this.disk.complete(world.nowMs) === 0) {
			const { stalledUntilMs } = this.disk;
			if (stalledUntilMs > world.nowMs)
				world.schedule(
					stalledUntilMs - world.nowMs,
					EventKind.disk,
					this,
					null,
				);
			return;
		}
		if (this.backlog === null) this.reportDisk();
	}

	/** Sends what waited for the disk, then tells the core. */
	reportDisk(): void {
		const raft = this.raft as Raft;
		const { done } = this.disk;
		const before = this.#reported;
		if (done === before) return;
		this.#reported = done;
		this.#unreported = this.#unreported.filter(
			({ sequence }) => sequence > done,
		);
		this.#outbox.durable(done);
		if (this.#world.options.driver.reportEachWrite) {
			for (let sequence = before + 1; sequence < done; sequence++)
				raft.appended(sequence);
		}
		raft.appended(done);
		this.droppable = this.machine.applied;
		this.settle();
	}

	#noteRole({ role, term, leader }: Status): void {
		const { trace, nowMs } = this.#world;
		trace.note(nowMs, `${this.id} is`, { role, term, leader });
	}

	#send(message: Message): void {
		const world = this.#world;
		world.oracles.released(this, message);
		world.network.send(message, this, world.nowMs);
	}

	#fetch(fetch: Fetch): void {
		const { fetchMs } = this.#world.options.driver;
		const delayMs = this.random.exponential(fetchMs);
		this.#world.schedule(delayMs, EventKind.fetched, this, fetch);
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
