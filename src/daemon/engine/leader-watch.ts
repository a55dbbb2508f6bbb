import type { Heartbeat, Message, Status } from "../../raft/types.js";
import { type Leadership, leadershipOf } from "./leadership.js";
import { SendingClock } from "./sending-clock.js";

/** What this node knows of the leader: how long there was none, and how far its commit index was when last heard. */
export class LeaderWatch {
	#leaderlessSinceMs: number | null = null;
	#everLed = false;
	#totalMs = 0;
	#maxMs = 0;
	#commit: number | null = null;
	/** When that was the leader's commit index, by this node's clock. */
	#heardMs = Number.NEGATIVE_INFINITY;
	/** Its leader's heartbeats alone may hide from a follower how far behind it is. */
	#hasAppended = false;
	/** A leader's first word comes before it is known as the leader. */
	#lastWord: { from: string; term: number; commit: number } | null = null;
	#clock = new SendingClock();
	#leadership: Leadership = {
		self: "",
		leader: null,
		isLeader: false,
		transferring: false,
	};

	get leadership(): Leadership {
		return this.#leadership;
	}

	/** Role, term or leader may have changed. */
	observe(status: Status, nowMs: number): void {
		const isNew = status.leader !== this.#leadership.leader;
		this.#leadership = leadershipOf(status);
		if (isNew) this.#begin(status);
		if (status.leader === null) {
			// A node that starts knows none yet; that says nothing of the cluster.
			if (this.#everLed) this.#leaderlessSinceMs ??= nowMs;
			return;
		}
		this.#everLed = true;
		if (this.#leaderlessSinceMs === null) return;
		const lastedMs = nowMs - this.#leaderlessSinceMs;
		this.#leaderlessSinceMs = null;
		this.#totalMs += lastedMs;
		this.#maxMs = Math.max(this.#maxMs, lastedMs);
	}

	/**
	 * A message has come in. An append says what the leader had committed; a heartbeat says at most what this node has
	 * matched, and when it was sent: it may have waited for long, here or on its way, and is no news then.
	 */
	heard(message: Message, nowMs: number): void {
		if (message.type === "append-request")
			this.#appended(message, message.commit);
		else if (message.type === "snapshot-offer")
			this.#appended(message, message.snapshotIndex);
		else if (message.type === "heartbeat") this.#beaten(message, nowMs);
	}

	#appended({ from, term }: Message, commit: number): void {
		this.#lastWord = { from, term, commit };
		if (from !== this.#leadership.leader) return;
		this.#hasAppended = true;
		this.#raise(commit);
	}

	#beaten({ from, stamp, commit }: Heartbeat, nowMs: number): void {
		if (from !== this.#leadership.leader) return;
		const sentMs = this.#clock.sentMs(stamp, nowMs);
		if (!this.#hasAppended || commit < (this.#commit ?? 0)) return;
		this.#raise(commit);
		this.#heardMs = Math.max(this.#heardMs, sentMs);
	}

	/** The link from `peer` broke: its next heartbeat may be the first word after a long time. */
	broken(peer: string): void {
		if (peer === this.#leadership.leader) this.#hasAppended = false;
		if (peer === this.#lastWord?.from) this.#lastWord = null;
	}

	/** A leader's own commit index was the cluster's when it certainly led. */
	leads(commit: number, confirmedMs: number): void {
		this.#raise(commit);
		this.#heardMs = Math.max(this.#heardMs, confirmedMs);
	}

	/** Null when no leader has told its commit index yet. */
	leaderCommit(
		nowMs: number,
	): { readonly index: number; readonly heardAgoMs: number } | null {
		return this.#commit === null || this.#heardMs === Number.NEGATIVE_INFINITY
			? null
			: { index: this.#commit, heardAgoMs: Math.max(0, nowMs - this.#heardMs) };
	}

	#raise(commit: number): void {
		this.#commit = Math.max(this.#commit ?? 0, commit);
	}

	#begin({ leader, term }: Status): void {
		this.#clock = new SendingClock();
		const word = this.#lastWord;
		this.#hasAppended = word?.from === leader && word.term === term;
		if (this.#hasAppended && word !== null) this.#raise(word.commit);
	}

	leaderless(nowMs: number): {
		readonly totalMs: number;
		readonly maxMs: number;
	} {
		const currentMs =
			this.#leaderlessSinceMs === null ? 0 : nowMs - this.#leaderlessSinceMs;
		return {
			totalMs: this.#totalMs + currentMs,
			maxMs: Math.max(this.#maxMs, currentMs),
		};
	}
}
