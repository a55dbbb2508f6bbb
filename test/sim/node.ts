import { Raft } from "../../src/raft/raft.js";
import type {
	Entry,
	Fetch,
	Message,
	RaftOptions,
	Ready,
	Status,
} from "../../src/raft/types.js";
import { SimDisk } from "./disk.js";
import { EventKind, type SimEvent } from "./event-queue.js";
import { RegisterMachine } from "./machine.js";
import { Random } from "./random.js";
import type { World } from "./world.js";

interface Held {
	readonly afterSequence: number;
	readonly messages: readonly Message[];
}

/**
 * A node: the core under test with a driver that obeys `Ready` to the letter, on a simulated disk, clock and network.
 * The driver's own order is part of the contract, so it is spelt out here step by step.
 */
export class SimNode {
	readonly id: string;
	readonly position: number;
	readonly disk: SimDisk;
	readonly random: Random;
	/** Rises with every crash; what an earlier incarnation had under way is void. */
	epoch = 0;
	/** Null while the node is down. */
	raft: Raft | null = null;
	machine: RegisterMachine;
	/** The log as handed to the disk, under way or durable; entry i lies at i - 1. */
	log: Entry[] = [];
	/** Bytes of entries 1..i, so that sums over ranges are differences. */
	logBytes: number[] = [];
	/** The status at the last look, by which the oracles see what changed. */
	seen: Status | null = null;
	/** While paused, what arrives waits here. */
	backlog: SimEvent[] | null = null;
	/** A write was handed in just now; a crash may be near. */
	wroteNow = false;
	readonly #world: World;
	#clockBaseMs: number;
	#clockFromMs = 0;
	#clockRate = 1;
	#incarnations = 0;
	#turnPlanned = false;
	#held: Held[] = [];
	#submitted = 0;
	/** The newest write whose end the core knows. */
	#reported = 0;
	/** The committed range that waits to be applied: up to here. */
	#applyTo = 0;
	#applyPlanned = false;

	constructor(world: World, id: string, position: number) {
		this.#world = world;
		this.id = id;
		this.position = position;
		this.random = new Random(world.options.seed, 100 + position);
		const { disk, workload } = world.options;
		this.disk = new SimDisk(disk, this.random, world.mutant);
		this.machine = new RegisterMachine(workload.keys);
		this.#clockBaseMs = this.random.between(0, 1e6);
	}

	/** The node's own monotonic clock, in its milliseconds. */
	get localMs(): number {
		const elapsedMs = this.#world.nowMs - this.#clockFromMs;
		return this.#clockBaseMs + elapsedMs * this.#clockRate;
	}

	/** From now on the clock runs at `rate`, after a jump forward. */
	setClock(rate: number, jumpMs: number): void {
		this.#clockBaseMs = this.localMs + jumpMs;
		this.#clockFromMs = this.#world.nowMs;
		this.#clockRate = rate;
	}

	start(): void {
		const world = this.#world;
		this.log = [...this.disk.entries];
		this.logBytes = [];
		world.oracles.log.measure(this, 0);
		this.#held = [];
		this.#submitted = 0;
		this.#reported = 0;
		this.#turnPlanned = false;
		this.#applyPlanned = false;
		this.#restoreMachine();
		this.#applyTo = this.machine.applied;
		this.seen = null;
		this.raft = new Raft(
			this.#raftOptions(),
			this.disk.restored(this.machine.applied),
			this.localMs,
		);
		world.oracles.started(this);
		world.schedule(
			this.random.next() * world.options.tickMs,
			EventKind.tick,
			this,
			null,
		);
		this.settle();
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
		this.#world.workload.settled(this);
	}

	#process(ready: Ready, raft: Raft): void {
		const { oracles, workload } = this.#world;
		if (ready.write !== null) this.#submit(ready.write);
		oracles.observe(this, raft.status());
		for (const message of ready.messages) this.#send(message);
		this.#hold(ready);
		if (ready.committed !== null) this.#commit(ready.committed);
		for (const outcome of ready.proposals)
			workload.proposalEnded(this, outcome);
		for (const outcome of ready.reads) workload.readIndexed(this, outcome);
		for (const outcome of ready.transfers)
			workload.transferEnded(this, outcome);
		for (const fetch of ready.fetches) this.#fetch(fetch);
		if (
			ready.write !== null &&
			this.#world.mutant === "complete-before-durable"
		)
			raft.appended(ready.write.sequence);
	}

	#submit(write: NonNullable<Ready["write"]>): void {
		const world = this.#world;
		world.oracles.log.handedIn(this, write, this.#submitted + 1);
		this.#submitted = write.sequence;
		const first = write.entries[0];
		if (first !== undefined) {
			this.log.length = first.index - 1;
			for (const entry of write.entries) this.log.push(entry);
			world.oracles.log.measure(this, first.index - 1);
		}
		const doneMs = this.disk.submit(write, world.nowMs);
		world.schedule(doneMs - world.nowMs, EventKind.disk, this, null);
		this.wroteNow = true;
		if (world.mutant === "apply-before-committed") {
			for (const entry of write.entries) world.oracles.log.applied(this, entry);
		}
	}

	#hold(ready: Ready): void {
		const { messagesAfterSync, afterSequence } = ready;
		if (messagesAfterSync.length === 0) return;
		const lies = this.#world.mutant === "send-before-durable";
		if (this.#held.length === 0 && (lies || this.disk.done >= afterSequence)) {
			for (const message of messagesAfterSync) this.#send(message);
			return;
		}
		this.#world.coverage.heldForSync++;
		this.#held.push({ afterSequence, messages: messagesAfterSync });
	}

	/** The disk may have finished writes; tells the core of each, or of all of them at once. */
	diskEvent(): void {
		const world = this.#world;
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
		while (
			this.#held.length > 0 &&
			(this.#held[0] as Held).afterSequence <= done
		) {
			for (const message of (this.#held.shift() as Held).messages)
				this.#send(message);
		}
		if (this.#world.options.driver.reportEachWrite) {
			for (let sequence = before + 1; sequence < done; sequence++)
				raft.appended(sequence);
		}
		raft.appended(done);
		this.settle();
	}

	#send(message: Message): void {
		const world = this.#world;
		world.oracles.released(this, message);
		world.network.send(message, this, world.nowMs);
	}

	#commit(range: { readonly first: number; readonly last: number }): void {
		this.#world.oracles.log.handedOut(this, range, this.#applyTo);
		this.#applyTo = range.last;
		const { applyMs } = this.#world.options.driver;
		if (applyMs === 0) this.apply();
		else this.#planApply(applyMs);
	}

	#planApply(applyMs: number): void {
		if (this.#applyPlanned) return;
		this.#applyPlanned = true;
		this.#world.schedule(
			this.random.exponential(applyMs),
			EventKind.apply,
			this,
			null,
		);
	}

	/** Applies what is committed, or the first part of it. */
	apply(): void {
		this.#applyPlanned = false;
		const { driver } = this.#world.options;
		const first = this.machine.applied + 1;
		const partial = driver.applyMs > 0 && this.random.chance(0.3);
		const last = partial
			? this.random.whole(first, this.#applyTo)
			: this.#applyTo;
		const entries =
			this.raft?.entries(first, last) ?? this.log.slice(first - 1, last);
		const skips =
			this.#world.mutant === "skip-apply" && this.random.chance(0.01);
		for (const entry of skips ? entries.slice(1) : entries) {
			this.machine.apply(entry);
			this.#world.oracles.log.applied(this, entry);
		}
		this.raft?.applied(last);
		this.#world.workload.applied(this);
		if (last < this.#applyTo) this.#planApply(driver.applyMs);
	}

	#fetch(fetch: Fetch): void {
		const { fetchMs } = this.#world.options.driver;
		this.#world.schedule(
			this.random.exponential(fetchMs),
			EventKind.fetched,
			this,
			fetch,
		);
	}

	/** The log storage answers: everything, a part, or an error. */
	fetchEvent(fetch: Fetch): void {
		const { coverage, options, mutant } = this.#world;
		const raft = this.raft as Raft;
		if (mutant === "lose-fetch" && this.random.chance(0.1)) return;
		const { fetchFailChance, fetchPartialChance } = options.driver;
		const entries = this.#readLog(fetch);
		if (
			entries.length === 0 ||
			(this.#world.faulty && this.random.chance(fetchFailChance))
		) {
			coverage.fetchesFailed++;
			raft.fetchFailed(fetch);
		} else if (entries.length > 1 && this.random.chance(fetchPartialChance)) {
			coverage.fetchesPartial++;
			raft.fetched(
				fetch,
				entries.slice(0, this.random.whole(1, entries.length - 1)),
			);
		} else {
			coverage.fetchesServed++;
			raft.fetched(fetch, entries);
		}
		this.settle();
	}

	/** At least one entry, and at most about the bytes of one message, as LogStorage.read gives them. */
	#readLog({ first, last }: Fetch): Entry[] {
		const { maxMessageBytes } = this.#world.options.limits;
		const endBytes = (this.logBytes[first - 1] ?? 0) + maxMessageBytes;
		let end = Math.min(first, this.log.length);
		while (end < last && (this.logBytes[end + 1] ?? Infinity) <= endBytes)
			end++;
		return this.log.slice(first - 1, end);
	}

	/** A machine may keep its own state on disk; it is never ahead of the commit hint there. */
	#restoreMachine(): void {
		const { driver, workload } = this.#world.options;
		const kept = Math.min(this.machine.applied, this.disk.commit);
		this.machine = new RegisterMachine(workload.keys);
		if (!this.random.chance(driver.durableMachineChance)) return;
		this.#world.coverage.restartsFromMachine++;
		for (let at = 0; at < kept; at++) this.machine.apply(this.log[at] as Entry);
	}

	#raftOptions(): RaftOptions {
		const { options } = this.#world;
		const { seed } = options;
		const stream = 1000 + this.position * 1_000_000 + this.#incarnations++;
		const random = new Random(seed, stream);
		return {
			id: this.id,
			electionTimeoutMs: options.electionTimeoutMs,
			heartbeatIntervalMs: options.heartbeatIntervalMs,
			transferTimeoutMs: options.transferTimeoutMs,
			diskStallMs: options.diskStallMs,
			outcomeTimeoutMs: options.outcomeTimeoutMs,
			...options.limits,
			random: () => random.next(),
		};
	}
}
