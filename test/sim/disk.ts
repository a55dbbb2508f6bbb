import { decodeConfiguration } from "../../src/raft/codec.js";
import {
	type Entry,
	EntryKind,
	type HardState,
	type Restored,
	type TermRange,
	type Write,
} from "../../src/raft/types.js";
import type { Mutant } from "./mutants.js";
import type { WorldOptions } from "./options.js";
import type { Random } from "./random.js";

interface Pending {
	readonly write: Write;
	readonly submittedMs: number;
	readonly doneMs: number;
}

/**
 * One node's disk. Writes are done in order, each after a delay. A crash keeps what is done, and of what is under way
 * any prefix: the device may have been faster than its answers.
 */
export class SimDisk {
	/** What is durable now; entry i lies at i - 1. */
	readonly entries: Entry[] = [];
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
	#pending: Pending[] = [];
	readonly #options: WorldOptions["disk"];
	readonly #random: Random;
	readonly #mutant: Mutant | null;

	constructor(
		options: WorldOptions["disk"],
		random: Random,
		mutant: Mutant | null,
	) {
		this.#options = options;
		this.#random = random;
		this.#mutant = mutant;
	}

	/** A founding node's disk, before it ever ran. */
	found(entries: readonly Entry[], hardState: HardState): void {
		this.entries.push(...entries);
		this.term = hardState.term;
		this.votedFor = hardState.votedFor;
		this.commit = hardState.commit;
		this.#syncedCommit = hardState.commit;
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
		this.#breakRules();
		this.#pending = [];
		this.done = 0;
		this.stalledUntilMs = 0;
		return { kept, lost: writes.length - kept };
	}

	/** What a node finds here at start, whose machine stands at `applied`. */
	restored(applied: number): Restored {
		const terms: TermRange[] = [];
		const configurations: Restored["configurations"][number][] = [];
		for (const entry of this.entries) {
			if (terms.length === 0 || terms[terms.length - 1]?.term !== entry.term)
				terms.push({ term: entry.term, first: entry.index });
			if (entry.kind === EntryKind.configuration) {
				configurations.push({
					index: entry.index,
					configuration: decodeConfiguration(entry.data),
				});
			}
		}
		return {
			hardState: {
				term: this.term,
				votedFor: this.votedFor,
				commit: this.commit,
			},
			lastIndex: this.entries.length,
			terms,
			configurations,
			tail: this.entries.slice(this.commit),
			applied,
		};
	}

	#apply(write: Write): void {
		const { hardState, entries } = write;
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
			const keep = Math.max(1, this.entries.length - this.#random.below(4));
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
