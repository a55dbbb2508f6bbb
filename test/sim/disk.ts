import type { Entry, HardState, Write } from "../../src/raft/types.js";
import type { Mutant } from "./mutants.js";
import type { WorldOptions } from "./options.js";
import type { Random } from "./random.js";
import type { SnapshotFile } from "./snapshot-file.js";

interface Pending {
	readonly write: Write;
	readonly submittedMs: number;
	readonly doneMs: number;
}

/** How many snapshots are kept: the newest, and one to fall back on. */
const keptSnapshots = 2;

/** What a disk held at some moment. */
export type DiskImage = Pick<
	SimDisk,
	"entries" | "base" | "term" | "votedFor" | "commit" | "snapshots"
>;

/**
 * One node's disk. Writes are done in order, each after a delay. A crash keeps what is done, and of what is under way
 * any prefix: the device may have been faster than its answers. Snapshots are files beside the log.
 */
export class SimDisk {
	/**
	 * What is durable now; entry i lies at i - 1. Up to `base` the log does not hold them any more: a snapshot stands for
	 * them, and they are here for the oracles alone.
	 */
	entries: Entry[] = [];
	base = 0;
	/** Durable ones, the newest last. */
	snapshots: SnapshotFile[] = [];
	/** Those that can no longer be read. */
	readonly damaged = new Set<SnapshotFile>();
	/** The log holds what was never written to it: no node can start from it. */
	logDamaged = false;
	/** Until then nothing more fits on it. */
	fullUntilMs = 0;
	term = 0;
	votedFor: string | null = null;
	/** The commit hint; a write without sync may lose it again. */
	commit = 0;
	/** Every write up to this one is durable. */
	done = 0;
	stalledUntilMs = 0;
	/** The next write that would be done fails instead. */
	failing = false;
	/** Off after healing: no slow write any more. */
	faulty = true;
	/** Multiplies every delay. */
	slowness = 1;
	#syncedCommit = 0;
	/** Where the log began before its oldest segments went; a crash may bring them back. */
	#earlierBase = 0;
	#pending: Pending[] = [];
	readonly #options: WorldOptions["disk"];
	readonly #random: Random;
	readonly #mutant: Mutant | null;
	/** What is committed up to an index: what a snapshot there stands for. */
	readonly #prefix: (index: number) => Entry[];

	constructor(options: {
		readonly options: WorldOptions["disk"];
		readonly random: Random;
		readonly mutant: Mutant | null;
		readonly prefix: (index: number) => Entry[];
	}) {
		this.#options = options.options;
		this.#random = options.random;
		this.#mutant = options.mutant;
		this.#prefix = options.prefix;
	}

	/** A founding node's disk, before it ever ran. */
	found(entries: readonly Entry[], hardState: HardState): void {
		this.entries.push(...entries);
		this.term = hardState.term;
		this.votedFor = hardState.votedFor;
		this.commit = hardState.commit;
		this.#syncedCommit = hardState.commit;
	}

	get newest(): SnapshotFile | undefined {
		return this.snapshots[this.snapshots.length - 1];
	}

	/** Of the newest snapshot; 0 for none. */
	get snapshotIndex(): number {
		return this.newest?.point.index ?? 0;
	}

	/** Everything up to here is in the log or in a snapshot. */
	get last(): number {
		return Math.max(this.entries.length, this.snapshotIndex);
	}

	/** Whether a crash now would leave this entry, in the log or in a snapshot. */
	holds(entry: Entry): boolean {
		const { index, term } = entry;
		return (
			this.entries[index - 1]?.term === term || index <= this.snapshotIndex
		);
	}

	/** A snapshot's file is durable now. Of two at one index the first stays. */
	addSnapshot(file: SnapshotFile): void {
		const { index } = file.point;
		if (this.snapshots.some(({ point }) => point.index === index)) return;
		this.snapshots = [...this.snapshots, file]
			.sort((a, b) => a.point.index - b.point.index)
			.slice(-keptSnapshots);
	}

	/** The log begins behind `index` from now on, unless a crash brings back what is gone. */
	compact(index: number): void {
		this.#earlierBase = this.base;
		this.base = Math.max(this.base, index);
	}

	/** The log is emptied, and begins anew behind a snapshot. */
	reset(index: number): void {
		this.entries = this.#prefix(index);
		this.base = index;
		this.#earlierBase = index;
	}

	image(): DiskImage {
		const { entries, base, term, votedFor, commit, snapshots } = this;
		const copies = { entries: [...entries], snapshots: [...snapshots] };
		return { ...copies, base, term, votedFor, commit };
	}

	/** The disk of a node that is down goes back to what it held before. */
	rollBack(image: DiskImage): void {
		this.entries = [...image.entries];
		this.snapshots = [...image.snapshots];
		this.base = image.base;
		this.#earlierBase = image.base;
		this.term = image.term;
		this.votedFor = image.votedFor;
		this.commit = image.commit;
		this.#syncedCommit = image.commit;
	}

	get underWay(): number {
		return this.#pending.length;
	}

	/** Since when the oldest write has been under way; null when none is. */
	get oldestSubmittedMs(): number | null {
		return this.#pending[0]?.submittedMs ?? null;
	}

	/** Takes a write; returns when it will be done, unless the disk stalls. */
	submit(write: Write, nowMs: number): number {
		const last = this.#pending[this.#pending.length - 1];
		const begin = last === undefined ? nowMs : Math.max(nowMs, last.doneMs);
		const grouped =
			last !== undefined && this.#random.chance(this.#options.groupChance);
		const doneMs = grouped ? begin : begin + this.#delayMs(write.sync);
		this.#pending.push({ write, submittedMs: nowMs, doneMs });
		return doneMs;
	}

	/** Makes durable what is due by now; returns how many writes that was. */
	complete(nowMs: number): number {
		if (nowMs < this.stalledUntilMs) return 0;
		let count = 0;
		for (const { write, doneMs } of this.#pending) {
			if (doneMs > nowMs) break;
			this.#apply(write);
			count++;
		}
		if (count > 0) this.#pending.splice(0, count);
		return count;
	}

	/**
	 * Whether a write fails now instead of being done. It may lie on the disk all the same, as after any crash; what
	 * was to follow it does not.
	 */
	fails(nowMs: number): boolean {
		if (!this.failing || nowMs < this.stalledUntilMs) return false;
		const due = this.#pending.filter(({ doneMs }) => doneMs <= nowMs);
		if (due.length === 0) return false;
		this.failing = false;
		this.#pending = due;
		return true;
	}

	/** Counts what is under way as done, although nothing of it is on the disk. */
	forget(): void {
		this.done = this.#pending[this.#pending.length - 1]?.write.sequence ?? 0;
		this.#pending = [];
	}

	/** A sound disk from now on; what is under way is due at once. */
	heal(nowMs: number): void {
		this.faulty = false;
		this.failing = false;
		this.fullUntilMs = 0;
		this.slowness = 1;
		this.stalledUntilMs = 0;
		this.#pending = this.#pending.map((pending) => ({
			...pending,
			doneMs: Math.min(pending.doneMs, nowMs),
		}));
	}

	/** What is under way is lost, but for a prefix. Returns how many writes were kept and lost. */
	crash(): { kept: number; lost: number } {
		const writes = this.#pending.map(({ write }) => write);
		const kept = this.#random.below(writes.length + 1);
		for (const write of writes.slice(0, kept)) this.#apply(write);
		if (this.#mutant === "keep-later-write" && writes.length - kept >= 2)
			this.#apply(writes[writes.length - 1] as Write);
		if (this.#random.chance(0.5)) this.commit = this.#syncedCommit;
		if (this.#random.chance(0.3)) this.base = this.#earlierBase;
		this.#breakRules();
		this.#pending = [];
		this.done = 0;
		this.stalledUntilMs = 0;
		return { kept, lost: writes.length - kept };
	}

	#apply(write: Write): void {
		const { hardState, reset, entries } = write;
		if (reset !== null) this.reset(reset.index);
		if (hardState !== null) {
			this.term = hardState.term;
			this.votedFor = hardState.votedFor;
			this.commit = hardState.commit;
		}
		if (write.sync) this.#syncedCommit = this.commit;
		const first = entries[0];
		if (first !== undefined) {
			if (this.#mutant !== "never-truncate")
				this.entries.length = Math.min(this.entries.length, first.index - 1);
			for (const entry of entries) this.entries[entry.index - 1] = entry;
		}
		this.done = write.sequence;
	}

	#delayMs(sync: boolean): number {
		const { baseMs, jitterMs, slowChance, slowMs } = this.#options;
		if (!sync) return (baseMs * this.slowness) / 10;
		if (!this.faulty) return baseMs;
		if (this.#random.chance(slowChance)) return slowMs * this.slowness;
		return (baseMs + this.#random.exponential(jitterMs)) * this.slowness;
	}

	#breakRules(): void {
		if (this.#mutant === "forget-synced-entries") {
			const least = Math.min(this.entries.length, Math.max(1, this.base));
			const keep = Math.max(least, this.entries.length - this.#random.below(4));
			this.entries.length = keep;
			this.commit = Math.min(this.commit, keep);
		}
		if (this.#mutant === "forget-vote") this.votedFor = null;
		if (this.#mutant === "stale-hard-state" && this.term > 1) {
			this.term--;
			this.votedFor = null;
		}
	}
}
