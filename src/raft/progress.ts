import type { NodeId } from "./types.js";

/**
 * What the leader knows of one other member.
 *
 * probe: where the logs agree is not known; one message at a time. replicate: `match` is known and messages are
 * pipelined ahead of the answers, up to the window's limits. next > match always.
 */
export class Progress {
	readonly id: NodeId;
	readonly session: number;
	state: "probe" | "replicate" = "probe";
	match = 0;
	next: number;
	/** In probe: a message is out; wait for its answer or the next heartbeat's. */
	paused = false;
	/** Entries for this member are being read from the log on disk. */
	fetching = false;
	readonly inflight: Inflight;
	/** When it was last heard; the start of the term counts as heard. */
	heardMs: number;
	/** The newest read round it has confirmed in this term. */
	readConfirmed = 0;
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
		this.inflight = new Inflight(
			options.maxInflightMessages,
			options.maxInflightBytes,
		);
	}

	get canSend(): boolean {
		if (this.fetching) return false;
		return this.state === "probe" ? !this.paused : !this.inflight.full;
	}

	becomeProbe(next: number): void {
		this.state = "probe";
		this.next = Math.max(next, this.match + 1);
		this.paused = false;
		this.fetching = false;
		this.inflight.clear();
	}

	/** An answer says that everything up to `match` is durable there; true when that is news. */
	acknowledge(match: number): boolean {
		const news = match > this.match;
		this.match = Math.max(this.match, match);
		this.next = Math.max(this.next, this.match + 1);
		if (this.state === "probe") {
			this.state = "replicate";
			this.next = this.match + 1;
			this.paused = false;
			this.fetching = false;
		}
		this.inflight.freeTo(match);
		return news;
	}

	/**
	 * An answer refused the message that followed `rejected`. False when that is old news. `commonIndex` is where the
	 * logs may still agree.
	 */
	reject(rejected: number, commonIndex: number): boolean {
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
