import { reasonOf } from "../../errors.js";
import type { Raft } from "../../raft/raft.js";
import type { Entry, Fetch, Message, Ready, Write } from "../../raft/types.js";
import type { LogStorage } from "../../storage/log-storage.js";
import type { Diagnose } from "../peers/complaints.js";
import type { Peers } from "../peers/peers.js";
import { BlockMemo } from "./block-memo.js";
import type { EngineCounters } from "./engine-stats.js";
import { HeldMessages } from "./held-messages.js";

const nothing = new Uint8Array(0);

interface EffectsOptions {
	readonly raft: Raft;
	readonly log: LogStorage;
	readonly peers: Peers;
	readonly maxMessageBytes: number;
	readonly counters: EngineCounters;
	readonly diagnose: Diagnose;
	/** Runs `work` on the core, unless the node has stopped; a pass follows. */
	later(work: () => void): void;
}

/** What the core wants done to the disk and the network. */
export class Effects {
	readonly #options: EffectsOptions;
	readonly #memo = new BlockMemo();
	readonly #held = new HeldMessages();
	#lastSequence = 0;
	/** Of the entries that the log was given. */
	#lastIndex: number;

	constructor(options: EffectsOptions) {
		this.#options = options;
		this.#lastIndex = options.raft.status().lastIndex;
	}

	get encodings(): number {
		return this.#memo.encodings;
	}

	/** Writes and sends, in the order that Ready asks for. */
	execute(ready: Ready): void {
		if (ready.write !== null) this.#write(ready.write);
		for (const message of ready.messages) this.#send(message);
		this.#held.hold(ready.messagesAfterSync, ready.afterSequence, (message) =>
			this.#send(message),
		);
		for (const fetch of ready.fetches) this.#fetch(fetch);
	}

	/** Writes up to `sequence` are durable: what waited for that may be said. */
	durable(sequence: number): void {
		this.#held.release(sequence, (message) => this.#send(message));
	}

	/** These entries came in as these bytes; they need not be encoded again. */
	received(entries: readonly Entry[], block: Uint8Array): void {
		if (entries.length > 0) this.#memo.add(entries, block);
	}

	/** The last write of this life: a restart then replays up to here without asking anybody. */
	writeCommitHint(): void {
		const { raft, log } = this.#options;
		const { term, votedFor, ...status } = raft.status();
		// What the disk holds there may not be what the core has committed: it would be executed after a restart.
		if (raft.hasUnwritten) return;
		const commit = Math.min(status.commit, this.#lastIndex);
		log.append({
			sequence: this.#lastSequence + 1,
			hardState: { term, votedFor, commit },
			reset: null,
			firstIndex: 0,
			lastIndex: 0,
			blocks: [],
			sync: false,
		});
	}

	#write({ sequence, hardState, reset, entries, sync }: Write): void {
		this.#lastSequence = sequence;
		this.#lastIndex = entries.at(-1)?.index ?? reset?.index ?? this.#lastIndex;
		this.#options.counters.writes++;
		this.#options.log.append({
			sequence,
			hardState,
			reset,
			firstIndex: entries[0]?.index ?? 0,
			lastIndex: entries.at(-1)?.index ?? 0,
			blocks: this.#memo.blocksOf(entries),
			sync,
		});
	}

	#send(message: Message): void {
		const block =
			message.type === "append-request"
				? this.#memo.blockOf(message.entries)
				: nothing;
		this.#options.peers.message(message, block);
	}

	#fetch(fetch: Fetch): void {
		const { raft, log, maxMessageBytes, counters, diagnose, later } =
			this.#options;
		counters.fetches++;
		log.read(fetch.first, fetch.last, maxMessageBytes).then(
			(entries) => later(() => raft.fetched(fetch, entries)),
			(error) => {
				const { first, last, to } = fetch;
				const fields = { first, last, to, reason: reasonOf(error) };
				diagnose("error", "entries could not be read back", fields);
				later(() => raft.fetchFailed(fetch));
			},
		);
	}
}
