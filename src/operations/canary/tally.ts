import type { Spent } from "./budgets.js";

export type RequestKind = "write" | "read";

/** One request that came to its end; times are the clock's milliseconds. */
export interface Attempt {
	readonly kind: RequestKind;
	/** Of the write; of a read the last one acknowledged before it began, 0 for none. */
	readonly number: number;
	readonly beganAtMs: number;
	readonly endedAtMs: number;
	/** Null when it went well. */
	readonly fault: string | null;
	/** Of a read: the write that its answer shows, null for none. */
	readonly seen: number | null;
}

export interface Failure {
	readonly kind: RequestKind;
	/** When it failed, by raftctl's clock; ISO 8601. */
	readonly at: string;
	readonly reason: string;
}

/** Bounds what the journal and a report have to hold. */
const keptFailures = 5;
const reasonLength = 160;

/** Failed writes that a read may show at any later time, as nobody knows what became of them. */
const keptDoubts = 10_000;

/** A request that went well and took longer. */
export const slowAfterMs = 1_000;

interface TallyOptions {
	/** By the clock, and by the calendar at that moment. */
	readonly beganAtMs: number;
	readonly beganAtWallMs: number;
	/** False: answers do not show what was written. */
	readonly readsBack: boolean;
}

/** What became of a canary's requests: counted, never forgiven. */
export class Tally {
	readonly writes = { ok: 0, failed: 0, slow: 0 };
	readonly reads = { ok: 0, failed: 0, slow: 0 };
	readonly failures: Failure[] = [];
	/** One sentence each; the newest are left out beyond a few. */
	readonly lostWrites: string[] = [];
	slowestWriteMs = 0;
	/** The highest number that was acknowledged; 0 for none. */
	acknowledged = 0;
	readonly #options: TallyOptions;
	readonly #doubtful = new Set<number>();
	#writtenAtMs: number;
	#closedAtMs = Number.POSITIVE_INFINITY;
	#stall = { ms: 0, sinceMs: 0 };
	#failedSinceMs: number | null = null;

	constructor(options: TallyOptions) {
		this.#options = options;
		this.#writtenAtMs = options.beganAtMs;
	}

	get requests(): number {
		const { writes, reads } = this;
		return writes.ok + reads.ok + this.failed;
	}

	get failed(): number {
		return this.writes.failed + this.reads.failed;
	}

	get slow(): number {
		return this.writes.slow + this.reads.slow;
	}

	count(attempt: Attempt): void {
		const { kind, beganAtMs, endedAtMs, fault } = attempt;
		const counts = kind === "write" ? this.writes : this.reads;
		const tookMs = endedAtMs - beganAtMs;
		if (fault !== null) {
			counts.failed++;
			this.#fail(attempt, fault);
			return;
		}
		counts.ok++;
		if (tookMs > slowAfterMs) counts.slow++;
		if (kind === "read") this.#judge(attempt);
		else this.#acknowledge(attempt, tookMs);
	}

	/** No write begins from now on: what follows is no stall. */
	close(nowMs: number): void {
		this.#closedAtMs = nowMs;
	}

	/** The longest time between two successful writes, the one that goes on at `nowMs` included. */
	stall(nowMs: number): { readonly ms: number; readonly sinceMs: number } {
		const ms = Math.min(nowMs, this.#closedAtMs) - this.#writtenAtMs;
		return ms > this.#stall.ms
			? { ms, sinceMs: this.#writtenAtMs }
			: this.#stall;
	}

	spent(nowMs: number, leaderlessMs: number): Spent {
		const { ms, sinceMs } = this.stall(nowMs);
		const failedSince = this.#failedSinceMs;
		return {
			...{ failed: this.failed, stallMs: ms, leaderlessMs },
			failedSince: failedSince === null ? null : this.#iso(failedSince),
			stallSince: ms === 0 ? null : this.#iso(sinceMs),
		};
	}

	#fail({ kind, number, endedAtMs }: Attempt, fault: string): void {
		this.#failedSinceMs ??= endedAtMs;
		if (this.failures.length < keptFailures)
			this.failures.push({
				...{ kind, at: this.#iso(endedAtMs) },
				reason: fault.slice(0, reasonLength),
			});
		if (kind === "write") this.#doubt(number);
	}

	/** What failed may be executed all the same, and later than what was written after it (P58). */
	#doubt(number: number): void {
		this.#doubtful.add(number);
		if (this.#doubtful.size <= keptDoubts) return;
		for (const oldest of this.#doubtful) {
			this.#doubtful.delete(oldest);
			return;
		}
	}

	#acknowledge({ number, endedAtMs }: Attempt, tookMs: number): void {
		this.#stall = this.stall(endedAtMs);
		this.#writtenAtMs = endedAtMs;
		this.slowestWriteMs = Math.max(this.slowestWriteMs, tookMs);
		this.acknowledged = Math.max(this.acknowledged, number);
	}

	/** A linearizable read that began after an acknowledgement sees that write, a later one, or one in doubt. */
	#judge({ number, seen, endedAtMs }: Attempt): void {
		if (!this.#options.readsBack || number === 0) return;
		if (seen !== null && (seen >= number || this.#doubtful.has(seen))) return;
		if (this.lostWrites.length >= keptFailures) return;
		const shown = seen === null ? "nothing" : `write ${seen}`;
		this.lostWrites.push(
			`write ${number} was acknowledged, and a read that began after it showed ${shown} at ${this.#iso(endedAtMs)}`,
		);
	}

	#iso(atMs: number): string {
		const { beganAtMs, beganAtWallMs } = this.#options;
		return new Date(beganAtWallMs + atMs - beganAtMs).toISOString();
	}
}
