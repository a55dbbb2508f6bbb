import { reasonOf } from "../../errors.js";
import type { ReadOutcome } from "../../raft/types.js";
import { ShortLivedMap } from "../../short-lived-map.js";
import type { QueryOptions, QueryOutcome } from "../replica.js";
import type { Leadership } from "./leadership.js";
import { Waiters } from "./waiters.js";

/** After a read was not confirmed, the leader is asked again so much later. */
const retryPauseMs = 10;
/** How long one turn answers queries before the sockets are looked at again. */
const turnLimitMs = 5;
const clockStride = 32;

export interface Read {
	/** Null: only the index is wanted, or the read has ended. */
	query: Uint8Array | null;
	/** What must be applied before it is answered. */
	minIndex: number;
	readonly deadlineMs: number;
	readonly done: (outcome: QueryOutcome) => void;
	/** Among this node's reads. */
	readonly number: number;
	ended: boolean;
	/** Answered without asking anybody, if the lease still holds then. */
	leased: boolean;
	/** Its answer may be old, and says how old. */
	readonly stale: boolean;
}

interface Asked {
	readonly leader: string;
	reads: Read[];
}

interface ReadsOptions {
	readonly maxPending: number;
	readonly maxPendingBytes: number;
	readonly nowMs: () => number;
	readonly isConnected: (peer: string) => boolean;
	readonly counters: ReadCounters;
	/** To the core; the outcome comes to `settle`. */
	readIndex(token: number): void;
	/** To where a read under the leader's lease must wait; null when there is no lease. */
	leaseIndex(): number | null;
	holdsLease(): boolean;
	/** For how long this node has not known that it is current. */
	ageMs(): number;
	query(query: Uint8Array): Uint8Array;
	applied(): number;
}

export interface ReadCounters {
	reads: number;
	readRounds: number;
	readsUnconfirmed: number;
	/** Answered under the lease. */
	leaseReads: number;
}

/**
 * Reads from their acceptance to their answer. All linearizable ones of a turn share one question to the core; one that
 * is not confirmed is asked again, as a read may be. Answered only when this node has applied what was confirmed (P44).
 */
export class Reads {
	readonly #options: ReadsOptions;
	readonly #pending = new ShortLivedMap<number, Read>();
	readonly #asked = new ShortLivedMap<number, Asked>();
	readonly #waiters = new Waiters<Read>();
	/** To be asked in the next turn. */
	#fresh: Read[] = [];
	/** To be answered now; from `#head` on. */
	#ready: Read[] = [];
	#head = 0;
	#lastToken = 0;
	#lastNumber = 0;
	#bytes = 0;
	#pausedUntilMs = 0;
	#nextDeadlineMs = Number.POSITIVE_INFINITY;
	#refusal: string | null = null;

	constructor(options: ReadsOptions) {
		this.#options = options;
	}

	get pending(): number {
		return this.#pending.size;
	}

	/** Takes a read in; its one answer comes in a later turn. */
	accept(
		read: Omit<Read, "number" | "ended" | "leased" | "stale">,
		consistency: QueryOptions["consistency"],
	): QueryOutcome | null {
		if (this.#refusal !== null) return failed("stopping", this.#refusal);
		const { maxPending, maxPendingBytes, counters } = this.#options;
		if (this.#pending.size >= maxPending)
			return failed("overloaded", `${maxPending} reads are under way`);
		const bytes = this.#bytes + (read.query?.length ?? 0);
		if (bytes > maxPendingBytes && this.#pending.size > 0)
			return failed(
				"overloaded",
				`${this.#bytes} bytes of reads are under way`,
			);
		this.#bytes = bytes;
		const stale = consistency === "stale";
		const number = ++this.#lastNumber;
		const taken = { ...read, number, ended: false, leased: false, stale };
		this.#pending.set(number, taken);
		this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, read.deadlineMs);
		counters.reads++;
		if (stale) this.#awaitApplied(taken);
		else if (consistency === "linearizable" || !this.#lease(taken))
			this.#fresh.push(taken);
		return null;
	}

	/** Without a lease the leader is asked, as for every other read. */
	#lease(read: Read): boolean {
		const index = this.#options.leaseIndex();
		if (index === null) return false;
		read.leased = true;
		read.minIndex = Math.max(read.minIndex, index);
		this.#awaitApplied(read);
		return true;
	}

	/** Asks the leader for those that wait to be asked. */
	dispatch({ leader, isLeader }: Leadership): void {
		if (this.#fresh.length === 0 || leader === null) return;
		const { nowMs, isConnected, readIndex, counters } = this.#options;
		if (!isLeader && !isConnected(leader)) return;
		if (this.#pausedUntilMs > 0 && nowMs() < this.#pausedUntilMs) return;
		this.#pausedUntilMs = 0;
		const token = ++this.#lastToken;
		this.#asked.set(token, { leader, reads: this.#fresh });
		this.#fresh = [];
		counters.readRounds++;
		readIndex(token);
	}

	settle({ token, index }: ReadOutcome): void {
		const asked = this.#asked.get(token);
		if (asked === undefined) return;
		this.#asked.delete(token);
		if (index === null) {
			this.#options.counters.readsUnconfirmed++;
			this.#pausedUntilMs = this.#options.nowMs() + retryPauseMs;
			this.#fresh = asked.reads.concat(this.#fresh);
			return;
		}
		for (const read of asked.reads) {
			if (read.ended) continue;
			if (read.query === null) {
				this.#finish(read, {
					...{ kind: "answer", index, answer: nothing, ageMs: 0 },
				});
				continue;
			}
			read.minIndex = Math.max(read.minIndex, index);
			this.#awaitApplied(read);
		}
	}

	/** What was asked of `peer`, or its answer, may be lost with the link. */
	peerBroken(peer: string): void {
		for (const [token, { leader, reads }] of this.#asked) {
			if (leader !== peer) continue;
			this.#asked.delete(token);
			this.#fresh = reads.concat(this.#fresh);
		}
	}

	#awaitApplied(read: Read): void {
		if (read.minIndex <= this.#options.applied()) this.#ready.push(read);
		else this.#waiters.add(read.minIndex, read);
	}

	/** Answers what can be answered, for one turn; true when there is more to answer right away. */
	run(): boolean {
		this.#waiters.take(this.#options.applied(), (read) =>
			this.#ready.push(read),
		);
		if (this.#ready.length === 0) return false;
		const { nowMs } = this.#options;
		const untilMs = nowMs() + turnLimitMs;
		while (this.#head < this.#ready.length) {
			this.#answer(this.#ready[this.#head++] as Read);
			if (this.#head % clockStride === 0 && nowMs() >= untilMs) break;
		}
		if (this.#head < this.#ready.length) return true;
		this.#ready = [];
		this.#head = 0;
		return false;
	}

	#answer(read: Read): void {
		if (read.ended) return;
		const { applied, query, counters } = this.#options;
		let outcome: QueryOutcome;
		try {
			const answer = query(read.query as Uint8Array);
			const ageMs = read.stale ? this.#options.ageMs() : 0;
			outcome = { kind: "answer", index: applied(), answer, ageMs };
		} catch (error) {
			outcome = failed("invalid", reasonOf(error));
		}
		if (read.leased) {
			// The process may have stood still since the lease was looked at (P43).
			if (!this.#options.holdsLease()) {
				read.leased = false;
				this.#fresh.push(read);
				return;
			}
			counters.leaseReads++;
		}
		this.#finish(read, outcome);
	}

	/** Ends what has waited too long. */
	expire({ leader }: Leadership): void {
		const nowMs = this.#options.nowMs();
		if (nowMs < this.#nextDeadlineMs) return;
		this.#nextDeadlineMs = Number.POSITIVE_INFINITY;
		for (const read of this.#pending.values()) {
			if (read.deadlineMs > nowMs)
				this.#nextDeadlineMs = Math.min(this.#nextDeadlineMs, read.deadlineMs);
			else this.#finish(read, tooLate(read, leader));
		}
		const isOpen = ({ ended }: Read) => !ended;
		this.#fresh = this.#fresh.filter(isOpen);
		for (const asked of this.#asked.values())
			asked.reads = asked.reads.filter(isOpen);
		this.#waiters.keep(isOpen);
	}

	/** From now on nothing is accepted, because of `reason`; what was accepted goes on. */
	refuse(reason: string): void {
		this.#refusal = reason;
	}

	/** Ends everything now. */
	abandon(reason: string): void {
		this.#refusal = reason;
		for (const read of this.#pending.values())
			this.#finish(read, failed("stopping", reason));
	}

	#finish(read: Read, outcome: QueryOutcome): void {
		if (read.ended) return;
		read.ended = true;
		this.#bytes -= read.query?.length ?? 0;
		// Whatever still holds the read must not hold these.
		read.query = null;
		this.#pending.delete(read.number);
		read.done(outcome);
	}
}

const nothing = new Uint8Array(0);

type FailedQuery = Extract<QueryOutcome, { kind: "failed" }>;

export function failed(
	reason: FailedQuery["reason"],
	message: string,
): QueryOutcome {
	return { kind: "failed", reason, message };
}

function tooLate({ minIndex }: Read, leader: string | null): QueryOutcome {
	if (leader === null)
		return failed("no-leader", "no leader was found in time");
	const message =
		minIndex > 0
			? `index ${minIndex} was not applied here in time`
			: `the leader ${leader} did not confirm the read in time`;
	return failed("timeout", message);
}
