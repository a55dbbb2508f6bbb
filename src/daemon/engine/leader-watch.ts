import type { Message, Status } from "../../raft/types.js";
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
		if (status.leader !== this.#leadership.leader) this.#forgetClock();
		this.#leadership = leadershipOf(status);
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
		if (message.from !== this.#leadership.leader) return;
		if (message.type === "append-request") {
			this.#hasAppended = true;
			this.#raise(message.commit);
		} else if (message.type === "snapshot-offer") {
			this.#hasAppended = true;
			this.#raise(message.snapshotIndex);
		} else if (message.type === "heartbeat") {
			const sentMs = this.#clock.sentMs(message.stamp, nowMs);
			if (!this.#hasAppended || message.commit < (this.#commit ?? 0)) return;
			this.#raise(message.commit);
			this.#heardMs = Math.max(this.#heardMs, sentMs);
		}
	}

	/** The link from `peer` broke: its next heartbeat may be the first word after a long time. */
	broken(peer: string): void {
		if (peer === this.#leadership.leader) this.#hasAppended = false;
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

	#forgetClock(): void {
		this.#hasAppended = false;
		this.#clock = new SendingClock();
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
