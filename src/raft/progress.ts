import { CatchUp } from "./catch-up.js";
import type { NodeId } from "./types.js";

/**
 * What the leader knows of one other member.
 *
 * probe: where the logs agree is not known; one message at a time. replicate: `match` is known and messages are
 * pipelined ahead of the answers, up to the window's limits. snapshot: it needs what the log no longer holds, and is
 * offered a snapshot until it has one. next > match always.
 */
export class Progress {
	readonly id: NodeId;
	/** Answers of an earlier one are ignored (P52). */
	session: number;
	state: "probe" | "replicate" | "snapshot" = "probe";
	/** The index of the snapshot that it was offered; nothing behind it may be compacted meanwhile (P47). */
	pendingSnapshot = 0;
	/** It refused what it had acknowledged. Whether that was a late answer, the new session's first answer tells. */
	suspected = false;
	/** Its log no longer holds what it acknowledged: it is not counted (P31). */
	wentBack = false;
	/** No longer a member: kept until it knows, or until this time. */
	leavingUntilMs: number | null = null;
	readonly catchUp: CatchUp;
	match = 0;
	next: number;
	/** In probe: a message is out; wait for its answer or the next heartbeat's. */
	paused = false;
	/** Entries for this member are being read from the log on disk. */
	fetching = false;
	readonly inflight: Inflight;
	/** When it was last heard; the start of the term counts as heard. */
	heardMs: number;
	/** It has said something in this term. */
	hasSpoken = false;
	/** The newest read round it has confirmed in this term. */
	readConfirmed = 0;
	/** When the newest heartbeat that it has answered was sent. */
	answeredStamp = Number.NEGATIVE_INFINITY;
	/** The newest commit index that it was told. */
	commitSent = 0;
	/** When an unanswered window was last asked about (P50). */
	inquiredMs = 0;
	/** `match` when it was asked; no inquiry while answers still come. */
	inquiredMatch = 0;

	constructor(options: {
		id: NodeId;
		session: number;
		next: number;
		nowMs: number;
		maxInflightMessages: number;
		maxInflightBytes: number;
	}) {
		this.id = options.id;
		this.session = options.session;
		this.next = options.next;
		this.heardMs = options.nowMs;
		this.catchUp = new CatchUp(options.next - 1, options.nowMs);
		this.inflight = new Inflight(
			options.maxInflightMessages,
			options.maxInflightBytes,
		);
	}

	get canSend(): boolean {
		if (this.fetching || this.wentBack || this.state === "snapshot")
			return false;
		return this.state === "probe" ? !this.paused : !this.inflight.full;
	}

	hear(nowMs: number): void {
		this.heardMs = nowMs;
		this.hasSpoken = true;
	}

	/** It is offered the snapshot at `index`. */
	becomeSnapshot(index: number): void {
		this.becomeProbe(this.match + 1);
		this.state = "snapshot";
		this.pendingSnapshot = index;
	}

	becomeProbe(next: number): void {
		this.state = "probe";
		this.next = Math.max(next, this.match + 1);
		this.paused = false;
		this.fetching = false;
		this.pendingSnapshot = 0;
		this.inflight.clear();
	}

	/** An answer says that everything up to `match` is durable there; true when that is news. */
	acknowledge(match: number): boolean {
		const news = match > this.match;
		this.match = Math.max(this.match, match);
		this.next = Math.max(this.next, this.match + 1);
		this.suspected = false;
		// Whatever way it came to hold that much: a snapshot that it does not need is not waited for (P48).
		if (this.state !== "replicate") {
			this.becomeProbe(this.match + 1);
			this.state = "replicate";
		}
		this.inflight.freeTo(match);
		return news;
	}

	/**
	 * An answer refused the message that followed `rejected`. False when that is old news. `commonIndex` is where the
	 * logs may still agree.
	 */
	reject(rejected: number, commonIndex: number): boolean {
		if (this.state === "snapshot") return false;
		if (this.state === "replicate") {
			if (rejected <= this.match) return false;
			this.becomeProbe(Math.min(rejected, commonIndex + 1));
			return true;
		}
		if (rejected !== this.next - 1) return false;
		const before = this.next;
		this.becomeProbe(Math.min(rejected, commonIndex + 1));
		// It refuses even what it once acknowledged: its log went back. Asked at each heartbeat, not in a circle.
		this.paused = this.next >= before;
		return true;
	}
}

/** The messages that were sent and not yet answered, bounded by count and bytes; the first always fits. */
export class Inflight {
	readonly #maxMessages: number;
	readonly #maxBytes: number;
	#lastIndexes: number[] = [];
	#sizes: number[] = [];
	#bytes = 0;

	constructor(maxMessages: number, maxBytes: number) {
		this.#maxMessages = maxMessages;
		this.#maxBytes = maxBytes;
	}

	get full(): boolean {
		return (
			this.#lastIndexes.length >= this.#maxMessages ||
			this.#bytes >= this.#maxBytes
		);
	}

	get messages(): number {
		return this.#lastIndexes.length;
	}

	get bytes(): number {
		return this.#bytes;
	}

	add(lastIndex: number, bytes: number): void {
		this.#lastIndexes.push(lastIndex);
		this.#sizes.push(bytes);
		this.#bytes += bytes;
	}

	freeTo(index: number): void {
		let freed = 0;
		while (
			freed < this.#lastIndexes.length &&
			(this.#lastIndexes[freed] as number) <= index
		) {
			this.#bytes -= this.#sizes[freed] as number;
			freed++;
		}
		if (freed === 0) return;
		this.#lastIndexes.splice(0, freed);
		this.#sizes.splice(0, freed);
	}

	clear(): void {
		this.#lastIndexes = [];
		this.#sizes = [];
		this.#bytes = 0;
	}
}
