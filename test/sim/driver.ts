import type { Raft } from "../../src/raft/raft.js";
import type {
	Fetch,
	Message,
	Ready,
	Status,
	Write,
} from "../../src/raft/types.js";
import { EventKind } from "./event-queue.js";
import type { SimNode } from "./node.js";
import { Outbox } from "./outbox.js";
import type { World } from "./world.js";

/**
 * What carries out what the core has ready, to the letter. Its order is part of the contract, so it is spelt out here
 * step by step.
 */
export class Driver {
	/** What was handed to the disk just now, and whether it takes the place of older entries; a crash may be near. */
	wrote: { readonly write: Write; readonly isOver: boolean } | null = null;
	/** What was applied when the core last heard of its disk: then it lets go of what it needs no more. */
	droppable = 0;
	readonly #world: World;
	readonly #node: SimNode;
	readonly #outbox = new Outbox((message) => this.#send(message));
	#turnPlanned = false;
	/** The writes whose end the core does not know, oldest first, and the tick after which each was handed in. */
	#unreported: { readonly sequence: number; readonly tickMs: number }[] = [];
	#submitted = 0;
	/** The newest write whose end the core knows. */
	#reported = 0;

	constructor(world: World, node: SimNode) {
		this.#world = world;
		this.#node = node;
	}

	restart(): void {
		this.droppable = 0;
		this.#outbox.clear();
		this.#submitted = 0;
		this.#reported = 0;
		this.#unreported = [];
		this.#turnPlanned = false;
	}

	/** How long the oldest write has been under way; 0 when none is. */
	get writingMs(): number {
		const since = this.#node.disk.oldestSubmittedMs;
		return since === null ? 0 : this.#world.nowMs - since;
	}

	/** The same by the clock of the node's ticks, as the core sees it: a write counts until the core is told of its end. */
	get pendingMs(): number {
		const [oldest] = this.#unreported;
		return oldest === undefined ? 0 : this.#node.tickMs - oldest.tickMs;
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
			this.#node.random.next() * turnMs,
			EventKind.turn,
			this.#node,
			null,
		);
	}

	turn(): void {
		this.#turnPlanned = false;
		const raft = this.#node.raft as Raft;
		let rounds = 0;
		while (raft.hasReady()) {
			this.#process(raft.ready(), raft);
			if (++rounds > 1000) throw new Error("hasReady never ends");
		}
		if (rounds === 0) this.#world.oracles.observe(this.#node, raft.status());
		this.#world.workload.reads.settled(this.#node);
	}

	#process(ready: Ready, raft: Raft): void {
		const world = this.#world;
		const { oracles, workload, coverage, mutant } = world;
		if (ready.write !== null) this.#submit(ready.write);
		if (ready.restore !== null) this.#node.applier.restore(ready.restore);
		const status = raft.status();
		oracles.observe(this.#node, status);
		if (ready.changed) this.#noteRole(status);
		for (const message of ready.messages) oracles.said(this.#node, message);
		for (const message of ready.messagesAfterSync)
			oracles.said(this.#node, message);
		for (const message of ready.messages) this.#send(message);
		const lies = mutant === "send-before-durable";
		const done = lies ? ready.afterSequence : this.#node.disk.done;
		if (this.#outbox.take(ready, done)) coverage.heldForSync++;
		if (ready.committed !== null) this.#node.applier.take(ready.committed);
		for (const outcome of ready.proposals)
			workload.proposalEnded(this.#node, outcome);
		for (const outcome of ready.reads)
			workload.reads.indexed(this.#node, outcome);
		for (const outcome of ready.transfers)
			workload.transferEnded(this.#node, outcome);
		for (const outcome of ready.changes)
			world.operator.changeEnded(this.#node, outcome);
		for (const alarm of ready.alarms) world.operator.alarmed(this.#node, alarm);
		for (const fetch of ready.fetches) this.#fetch(fetch);
		if (ready.download !== null)
			this.#node.snapshots.download.want(ready.download);
		if (ready.write !== null && mutant === "complete-before-durable")
			raft.appended(ready.write.sequence);
	}

	#submit(write: Write): void {
		const world = this.#world;
		world.oracles.log.handedIn(this.#node, write, this.#submitted + 1);
		this.#submitted = write.sequence;
		const { sequence } = write;
		this.#unreported.push({ sequence, tickMs: this.#node.tickMs });
		const first = write.entries[0];
		const isOver = first !== undefined && first.index <= this.#node.log.length;
		this.#node.handed.take(write, world.prefix);
		const doneMs = this.#node.disk.submit(write, world.nowMs);
		world.schedule(doneMs - world.nowMs, EventKind.disk, this.#node, null);
		this.wrote = { write, isOver: isOver || this.wrote?.isOver === true };
		world.trace.note(world.nowMs, `${this.#node.id} writes`, {
			sequence: write.sequence,
			term: write.hardState?.term,
			vote: write.hardState?.votedFor,
			...(write.reset === null ? {} : { reset: write.reset.index }),
			from: first?.index,
			entries: write.entries.length,
		});
		if (world.mutant === "apply-before-committed") {
			for (const entry of write.entries)
				world.oracles.log.applied(this.#node, entry);
		}
	}

	/** The disk may have finished writes; tells the core of each, or of all of them at once. */
	diskEvent(): void {
		const world = this.#world;
		// A process that does not run learns nothing yet: its disk fails it later.
		if (this.#node.backlog === null && this.#node.disk.fails(world.nowMs)) {
			if (world.mutant === "ignore-fsync-error") {
				this.#node.disk.forget();
				this.reportDisk();
			} else world.faults.diskFailed(this.#node);
			return;
		}
		if (this.#node.disk.complete(world.nowMs) === 0) {
			const { stalledUntilMs } = this.#node.disk;
			if (stalledUntilMs > world.nowMs)
				world.schedule(
					stalledUntilMs - world.nowMs,
					EventKind.disk,
					this.#node,
					null,
				);
			return;
		}
		if (this.#node.backlog === null) this.reportDisk();
	}

	/** Sends what waited for the disk, then tells the core. */
	reportDisk(): void {
		const raft = this.#node.raft as Raft;
		const { done } = this.#node.disk;
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
		this.droppable = this.#node.machine.applied;
		this.settle();
	}

	#noteRole({ role, term, leader }: Status): void {
		const { trace, nowMs } = this.#world;
		trace.note(nowMs, `${this.#node.id} is`, { role, term, leader });
	}

	#send(message: Message): void {
		const world = this.#world;
		world.oracles.released(this.#node, message);
		world.network.send(message, this.#node, world.nowMs);
	}

	#fetch(fetch: Fetch): void {
		const { fetchMs } = this.#world.options.driver;
		const delayMs = this.#node.random.exponential(fetchMs);
		this.#world.schedule(delayMs, EventKind.fetched, this.#node, fetch);
	}
}
