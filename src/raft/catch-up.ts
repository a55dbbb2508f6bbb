import type { CatchUpStatus } from "./types.js";

/** However fast it was so far: with more than this to go, its first acknowledgement as a voter is far (P26). */
const maxLagEntries = 4096;
/** Over how long the rate of a member is measured. */
const rateWindowMs = 2000;

/**
 * How well a member keeps up, in rounds (thesis, section 4.2.1): a round ends when the member holds all that the leader
 * had when the round began. A learner whose rounds take less than an election timeout may vote without slowing anybody.
 */
export class CatchUp {
	#roundTarget: number;
	#roundSinceMs: number;
	/** How long the last round took; null before the first has ended. */
	#lastRoundMs: number | null = null;
	/** From the first answer on: how much it had before this leader is no rate. */
	#rate: Rate | null = null;

	constructor(lastIndex: number, nowMs: number) {
		this.#roundTarget = lastIndex;
		this.#roundSinceMs = nowMs;
	}

	/** The member holds everything up to `match`, the leader has `lastIndex`. */
	advance(match: number, lastIndex: number, nowMs: number): void {
		this.#rate ??= new Rate(match, nowMs);
		this.#rate.move(match, nowMs);
		if (match < this.#roundTarget) return;
		this.#lastRoundMs = nowMs - this.#roundSinceMs;
		this.#roundTarget = lastIndex;
		this.#roundSinceMs = nowMs;
	}

	/** `leaderRate` is that of new entries, each second. */
	status(at: {
		readonly match: number;
		readonly lastIndex: number;
		readonly nowMs: number;
		readonly roundLimitMs: number;
		readonly leaderRate: number;
		readonly heard: boolean;
	}): CatchUpStatus {
		const { match, lastIndex, nowMs, roundLimitMs, leaderRate, heard } = at;
		const lagEntries = lastIndex - match;
		const entriesPerSecond = this.#rate?.perSecond(nowMs) ?? 0;
		const inTime =
			this.#lastRoundMs !== null &&
			this.#lastRoundMs <= roundLimitMs &&
			nowMs - this.#roundSinceMs <= roundLimitMs;
		const level = match > 0 && lagEntries === 0;
		const gain = entriesPerSecond - leaderRate;
		return {
			lagEntries,
			entriesPerSecond: Math.round(entriesPerSecond),
			remainingMs:
				lagEntries === 0
					? 0
					: gain > 0
						? Math.ceil((lagEntries / gain) * 1000)
						: null,
			caughtUp: heard && lagEntries <= maxLagEntries && (inTime || level),
		};
	}
}

/** How fast an index moves: over the last one or two windows. */
export class Rate {
	#at: number;
	#sinceMs: number;
	#earlierAt: number;
	#earlierMs: number;
	#last: number;

	constructor(at: number, nowMs: number) {
		this.#at = at;
		this.#earlierAt = at;
		this.#last = at;
		this.#sinceMs = nowMs;
		this.#earlierMs = nowMs;
	}

	move(to: number, nowMs: number): void {
		this.#last = Math.max(this.#last, to);
		if (nowMs - this.#sinceMs < rateWindowMs) return;
		this.#earlierAt = this.#at;
		this.#earlierMs = this.#sinceMs;
		this.#at = this.#last;
		this.#sinceMs = nowMs;
	}

	perSecond(nowMs: number): number {
		const elapsedMs = nowMs - this.#earlierMs;
		return elapsedMs <= 0
			? 0
			: ((this.#last - this.#earlierAt) * 1000) / elapsedMs;
	}
}
