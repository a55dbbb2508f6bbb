import type { Message, Status } from "../../raft/types.js";
import { type Leadership, leadershipOf } from "./leadership.js";

/** What this node knows of the leader: how long there was none, and how far its commit index was when last heard. */
export class LeaderWatch {
	#leaderlessSinceMs: number | null = null;
	#everLed = false;
	#totalMs = 0;
	#maxMs = 0;
	#commit: number | null = null;
	#heardMs = 0;
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

	/** A message has come in. */
	heard(message: Message, nowMs: number): void {
		if (message.type !== "append-request" && message.type !== "heartbeat")
			return;
		if (message.from !== this.#leadership.leader) return;
		this.#commit = Math.max(this.#commit ?? 0, message.commit);
		this.#heardMs = nowMs;
	}

	/** A leader's own commit index is the cluster's. */
	leads(commit: number, nowMs: number): void {
		this.#commit = Math.max(this.#commit ?? 0, commit);
		this.#heardMs = nowMs;
	}

	leaderCommit(
		nowMs: number,
	): { readonly index: number; readonly heardAgoMs: number } | null {
		return this.#commit === null
			? null
			: { index: this.#commit, heardAgoMs: nowMs - this.#heardMs };
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
