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
		if (isNew) this.#clock = new SendingClock();
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
	 * A message has come in. An append says what the leader had committed, but not whether it still led. A heartbeat says
	 * both, and when: it may have waited for long, here or on its way, and is no news then.
	 */
	heard(message: Message, nowMs: number): void {
		if (message.from !== this.#leadership.leader) return;
		if (message.type === "append-request") this.#raise(message.commit);
		else if (message.type === "heartbeat") this.#beaten(message, nowMs);
	}

	#beaten(
		{ stamp, currentCommit, currentStamp }: Heartbeat,
		nowMs: number,
	): void {
		const sentMs = this.#clock.sentMs(stamp, nowMs);
		if (currentStamp === 0) return;
		this.#raise(currentCommit);
		this.#heardMs = Math.max(this.#heardMs, sentMs - (stamp - currentStamp));
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
