import type { NodeId, ReadOutcome } from "./types.js";

/** Who asked: a token of this node's driver, or a follower with its own sequence. */
export type Reader =
	| { readonly token: number; readonly deadlineMs: number }
	| {
			readonly from: NodeId;
			readonly sequence: number;
			readonly deadlineMs: number;
	  };

interface Round {
	/** Rises with every round of this leader; only answers that repeat it or a later one count (P41). */
	readonly sequence: number;
	/** The commit index when the round began, after its reads had arrived. */
	readonly index: number;
	readonly readers: readonly Reader[];
}

/** How many rounds may be under way; more reads share the next one. */
const maxRounds = 2;

/**
 * ReadIndex on the leader (thesis, section 6.4): reads that arrive together share one round of heartbeats. A round's
 * token is (term, sequence): sequences are counted anew by each leader, and answers of another term never get here.
 */
export class ReadRounds {
	#waiting: Reader[] = [];
	#rounds: Round[] = [];
	#sequence = 0;

	/** The newest round; every heartbeat carries it. */
	get sequence(): number {
		return this.#sequence;
	}

	get pending(): number {
		return (
			this.#waiting.length +
			this.#rounds.reduce((sum, round) => sum + round.readers.length, 0)
		);
	}

	get canStart(): boolean {
		return this.#waiting.length > 0 && this.#rounds.length < maxRounds;
	}

	add(reader: Reader): void {
		this.#waiting.push(reader);
	}

	/** Begins a round for the reads that wait. The heartbeats that confirm it must be sent after this. */
	start(commit: number): void {
		this.#rounds.push({
			sequence: ++this.#sequence,
			index: commit,
			readers: this.#waiting,
		});
		this.#waiting = [];
	}

	/** Takes out the rounds that a quorum has confirmed: all up to the newest one that `confirmed` holds for. */
	confirm(
		confirmed: (sequence: number) => boolean,
		answer: (reader: Reader, index: number) => void,
	): void {
		for (let newest = this.#rounds.length - 1; newest >= 0; newest--) {
			if (!confirmed((this.#rounds[newest] as Round).sequence)) continue;
			for (const round of this.#rounds.splice(0, newest + 1)) {
				for (const reader of round.readers) answer(reader, round.index);
			}
			return;
		}
	}

	expire(nowMs: number, refuse: (reader: Reader) => void): void {
		const isOpen = (reader: Reader) => {
			if (reader.deadlineMs > nowMs) return true;
			refuse(reader);
			return false;
		};
		if (this.pending === 0) return;
		this.#waiting = this.#waiting.filter(isOpen);
		this.#rounds = this.#rounds.map((round) => ({
			...round,
			readers: round.readers.filter(isOpen),
		}));
		this.#rounds = this.#rounds.filter((round) => round.readers.length > 0);
	}

	/** This node no longer leads: nothing that waits may be answered (P42). */
	failAll(refuse: (reader: Reader) => void): void {
		for (const reader of this.#waiting) refuse(reader);
		for (const round of this.#rounds)
			for (const reader of round.readers) refuse(reader);
		this.#waiting = [];
		this.#rounds = [];
	}
}

/**
 * Where a node's counter starts. Not at zero: an answer meant for this node's life before a restart must not fit a
 * question of this one (P41).
 */
export function startOfCount(random: () => number): number {
	return Math.floor(random() * 2 ** 40);
}

/** A follower's reads that its leader was asked about. */
export class ForwardedReads {
	#sequence: number;
	readonly #open = new Map<number, { token: number; deadlineMs: number }>();

	constructor(random: () => number) {
		this.#sequence = startOfCount(random);
	}

	add(token: number, deadlineMs: number): number {
		this.#open.set(++this.#sequence, { token, deadlineMs });
		return this.#sequence;
	}

	settle(
		sequence: number,
		index: number | null,
		outcomes: ReadOutcome[],
	): void {
		const read = this.#open.get(sequence);
		if (read === undefined) return;
		this.#open.delete(sequence);
		outcomes.push({ token: read.token, index });
	}

	expire(nowMs: number, outcomes: ReadOutcome[]): void {
		for (const [sequence, read] of this.#open) {
			if (read.deadlineMs <= nowMs) this.settle(sequence, null, outcomes);
		}
	}

	failAll(outcomes: ReadOutcome[]): void {
		for (const sequence of [...this.#open.keys()])
			this.settle(sequence, null, outcomes);
	}
}
