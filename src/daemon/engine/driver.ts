import type { Raft } from "../../raft/raft.js";
import type { Message, Ready, Status } from "../../raft/types.js";
import { CatchUp } from "../catch-up.js";
import type { Diagnose } from "../peers/complaints.js";
import type { DriverParts } from "./driver-parts.js";
import { IdleWait } from "./idle-wait.js";
import type { Leadership } from "./leadership.js";

/** A core with more to do than this in one turn is one that is never done. */
const maxPasses = 1000;
const now = () => performance.now();

interface DriverOptions {
	readonly raft: Raft;
	readonly parts: DriverParts;
	readonly tickIntervalMs: number;
	readonly diagnose: Diagnose;
	/** Role, term, leader or configuration changed. */
	onChanged(status: Status): void;
	/** Nothing will be acknowledged any more: the process must end. */
	onFatal(error: Error): void;
}

/**
 * Gives the core a disk, a network and a clock. What arrives in one turn of the event loop is collected; then one pass
 * does all that follows from it: one write, one packet for each peer, one batch to apply.
 */
export class Driver {
	readonly raft: Raft;
	readonly parts: DriverParts;
	readonly #options: DriverOptions;
	#ticker: NodeJS.Timeout | undefined;
	#scheduled = false;
	#stopped = false;
	#failure: string | null = null;
	/** Why nothing is applied any more, whatever becomes of the state. */
	#applyingStopped: string | null = null;
	#closing: Promise<void> | null = null;
	readonly #idle: IdleWait;
	readonly #catchUp = new CatchUp();

	constructor(options: DriverOptions) {
		this.#options = options;
		this.raft = options.raft;
		this.parts = options.parts;
		const { commands, reads } = options.parts;
		this.#idle = new IdleWait(() => commands.pending + reads.pending === 0);
		this.parts.watch.observe(options.raft.status(), now());
	}

	/** Why this node no longer works; null while all is well. */
	get failure(): string | null {
		return this.#failure ?? this.#applyingStopped ?? this.parts.state.failure;
	}

	get leadership(): Leadership {
		return this.parts.watch.leadership;
	}

	/** For how long this node has not known that it stands where the leader stands, in milliseconds. */
	currencyMs(): number {
		const nowMs = now();
		this.#observe(nowMs);
		// Never yet means not since the process started.
		return this.#catchUp.agoMs(nowMs) ?? nowMs;
	}

	/** The commit index of the leader, as this node last knew it. */
	leaderCommit(nowMs: number) {
		const { watch } = this.parts;
		// A leader that was cut off does not know it yet: its commit index was the cluster's when a quorum answered.
		if (this.leadership.isLeader)
			watch.leads(this.raft.commit, this.raft.confirmedMs(nowMs));
		return watch.leaderCommit(nowMs);
	}

	#observe(nowMs: number): void {
		const leader = this.leaderCommit(nowMs);
		const { applied } = this.parts.state;
		this.#catchUp.observe({ applied, leader, nowMs });
	}

	get isStopped(): boolean {
		return this.#stopped;
	}

	start(): void {
		// What the sockets hold is read between the timer and the tick (P68).
		this.#ticker = setInterval(
			() => setImmediate(() => this.guard(() => this.#tick())),
			this.#options.tickIntervalMs,
		);
		this.wake();
	}

	/** Something came in: a pass follows when everything of this turn has. */
	wake(): void {
		if (this.#scheduled || this.#stopped) return;
		this.#scheduled = true;
		setImmediate(() => {
			this.#scheduled = false;
			this.guard(() => this.#turn());
		});
	}

	/** Runs `work` unless the node has stopped. What it throws stops the node: its own state can no longer be trusted. */
	guard(work: () => void): void {
		if (this.#stopped) return;
		try {
			work();
		} catch (error) {
			this.fail(error instanceof Error ? error : new Error(String(error)));
		}
	}

	/** A message of a peer; `block` is its entries as they came. */
	receive(message: Message, block: Uint8Array | null): void {
		const { effects, watch } = this.parts;
		this.guard(() => {
			if (message.type === "append-request" && block !== null)
				effects.received(message.entries, block);
			watch.heard(message, now());
			this.raft.step(message, now());
		});
		this.wake();
	}

	/** Writes up to `sequence` are on the disk. */
	durable(sequence: number): void {
		this.guard(() => {
			this.parts.effects.durable(sequence);
			this.raft.appended(sequence);
		});
		this.wake();
	}

	/** Something else came in from a peer. */
	input(work: (parts: DriverParts) => void): void {
		this.guard(() => work(this.parts));
		this.wake();
	}

	peerBroken(peer: string, direction: "to" | "from"): void {
		this.guard(() => {
			if (direction === "to") this.raft.unreachable(peer);
			this.parts.commands.peerBroken(peer);
			this.parts.reads.peerBroken(peer);
		});
		this.wake();
	}

	#tick(): void {
		const { peers, commands, reads, snapshots, housekeeping, clock } =
			this.parts;
		const nowMs = now();
		peers.tick(nowMs);
		this.raft.tick(nowMs);
		snapshots.tick(nowMs);
		this.#observe(nowMs);
		housekeeping.tick(nowMs);
		// What has passed since the log told the time counts from about when it did, and not from when somebody asks.
		clock.toldMs();
		commands.expire(this.leadership);
		reads.expire(this.leadership);
		this.#turn();
	}

	#turn(): void {
		const { commands, reads, peers, state, counters } = this.parts;
		counters.turns++;
		commands.dispatch(this.leadership);
		reads.dispatch(this.leadership);
		const moved = this.#drain();
		peers.flush();
		const toApply = this.#apply();
		const toRead = reads.run();
		const toTell = state.events.tell(now);
		commands.flush();
		peers.flush();
		this.#idle.check();
		// A commit may have made room for commands that wait.
		if (
			toApply ||
			toRead ||
			toTell ||
			(moved && commands.canMove(this.leadership))
		)
			this.wake();
	}

	/** Executes what the core has ready until it has nothing more; true when there was something. */
	#drain(): boolean {
		let passes = 0;
		while (this.raft.hasReady()) {
			this.#execute(this.raft.ready());
			if (++passes > maxPasses)
				throw new Error("invariant: the core is never done");
		}
		return passes > 0;
	}

	#execute(ready: Ready): void {
		const { applier, commands, effects, reads, transfers } = this.parts;
		const { snapshots, changes, housekeeping } = this.parts;
		if (ready.changed) this.#changed();
		effects.execute(ready);
		if (ready.restore !== null) {
			// What waits to be applied is part of the snapshot; what follows waits for it (P46).
			applier.hold();
			snapshots.restore(ready.restore);
		}
		// Before their entries are applied, so that each result finds its request.
		for (const outcome of ready.proposals) commands.settle(outcome);
		if (ready.committed !== null) {
			const { first, last } = ready.committed;
			applier.add(ready.committed, this.raft.entries(first, last));
		}
		for (const outcome of ready.reads) reads.settle(outcome);
		for (const outcome of ready.transfers) transfers.settle(outcome);
		for (const outcome of ready.changes) changes.settle(outcome);
		for (const alarm of ready.alarms) housekeeping.coreAlarm(alarm);
		if (ready.download !== null) snapshots.download(ready.download);
	}

	#changed(): void {
		const { watch, counters } = this.parts;
		const hasLed = watch.leadership.isLeader;
		const status = this.raft.status();
		watch.observe(status, now());
		if (watch.leadership.isLeader && !hasLed) counters.leaderships++;
		this.#options.onChanged(status);
		// What waits for a leader may have one now.
		this.wake();
	}

	/** The state was replaced by the snapshot at `index`; applying goes on behind it. */
	restored(index: number): void {
		const { applier, commands } = this.parts;
		commands.restoredTo(index);
		this.raft.applied(index);
		applier.release();
	}

	/** True when there is more to apply right away. */
	#apply(): boolean {
		const { applier, state, counters } = this.parts;
		const before = state.applied;
		const more = applier.run(now);
		if (state.applied > before) {
			counters.applied += state.applied - before;
			this.raft.applied(state.applied);
		}
		if (state.failure !== null) this.#stopApplying(state.failure);
		return more;
	}

	/** The node stays up to say so; it goes on voting and storing, as that needs no state machine. */
	#stopApplying(reason: string): void {
		if (this.#applyingStopped !== null) return;
		this.#applyingStopped = reason;
		const { applier, commands, reads } = this.parts;
		this.#options.diagnose(
			"error",
			`this node applies nothing any more: ${reason}`,
		);
		applier.end();
		commands.abandon(reason);
		reads.abandon(reason);
		this.raft.renounceLeadership();
		this.wake();
	}

	/** The disk has failed, or the node itself: nothing is said or acknowledged any more (P11). */
	fail(error: Error): void {
		if (this.#stopped) return;
		this.#failure = error.message;
		this.#stop(`the node has failed: ${error.message}`);
		this.parts.peers.destroy();
		this.#options.onFatal(error);
	}

	/** Waits a while for what was accepted, then stops; what was written is durable afterwards. */
	close(): Promise<void> {
		this.#closing ??= this.#close();
		return this.#closing;
	}

	async #close(): Promise<void> {
		const { commands, reads, effects, limits, peers, log, snapshots } =
			this.parts;
		commands.stop();
		reads.refuse("the node is stopping");
		if (!this.#stopped) await this.#idle.until(limits.closeTimeoutMs);
		if (!this.#stopped) {
			this.#stop("the node has stopped");
			commands.flush();
			peers.flush();
			effects.writeCommitHint();
		}
		await peers.close();
		await snapshots.close();
		await log.close();
	}

	#stop(reason: string): void {
		this.#stopped = true;
		clearInterval(this.#ticker);
		this.parts.transfers.abandon(reason);
		this.parts.changes.abandon(reason);
		this.parts.commands.abandon(reason);
		this.parts.reads.abandon(reason);
	}
}
