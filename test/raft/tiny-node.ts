import { decodeConfiguration } from "../../src/raft/codec.js";
import { Raft } from "../../src/raft/raft.js";
import {
	type ChangeOutcome,
	type CoreAlarm,
	type Entry,
	EntryKind,
	type Fetch,
	type HardState,
	type Message,
	type ProposalOutcome,
	type RaftOptions,
	type ReadOutcome,
	type Ready,
	type Restored,
	type Role,
	type TermRange,
	type TransferOutcome,
	type Write,
} from "../../src/raft/types.js";

/** What a node owns that outlives it. */
export interface Durable {
	hardState: HardState;
	entries: Entry[];
}

/** One node and its driver. `sync` says whether writes are durable at once or when the test says so. */
export class TinyNode {
	readonly id: string;
	readonly disk: Durable;
	raft: Raft;
	sync = true;
	nowMs = 0;
	/** Every write that was handed in, durable or not. */
	readonly writes: Write[] = [];
	readonly fetches: Fetch[] = [];
	readonly proposals: ProposalOutcome[] = [];
	readonly reads: ReadOutcome[] = [];
	readonly transfers: TransferOutcome[] = [];
	readonly changes: ChangeOutcome[] = [];
	readonly alarms: CoreAlarm[] = [];
	readonly applied: Entry[] = [];
	readonly #options: RaftOptions;
	readonly #send: (message: Message) => void;
	#pending: Write[] = [];
	#held: { after: number; messages: readonly Message[] }[] = [];
	#durable = 0;

	constructor(
		options: RaftOptions,
		disk: Durable,
		send: (message: Message) => void,
	) {
		this.id = options.id;
		this.disk = disk;
		this.#options = options;
		this.#send = send;
		this.raft = new Raft(options, restoredFrom(disk), 0);
	}

	get role(): Role {
		return this.raft.status().role;
	}

	get term(): number {
		return this.raft.status().term;
	}

	get commit(): number {
		return this.raft.status().commit;
	}

	/** The terms of its log, as far as it was handed in for writing. */
	get terms(): number[] {
		const log = [...this.disk.entries];
		for (const { entries } of this.#pending) cutAndAppend(log, entries);
		return log.map((entry) => entry.term);
	}

	/** Handles what the core has ready, until nothing is. */
	run(): void {
		while (this.raft.hasReady()) this.#process(this.raft.ready());
	}

	/** Makes the oldest `count` writes durable. */
	syncNow(count = Number.POSITIVE_INFINITY): void {
		for (const write of this.#pending.splice(0, count)) {
			cutAndAppend(this.disk.entries, write.entries);
			if (write.hardState !== null) this.disk.hardState = write.hardState;
			this.#durable = write.sequence;
			this.raft.appended(write.sequence);
		}
		this.#release();
		this.run();
	}

	/** Loses what is not durable, and starts again from the disk. */
	restart(): void {
		this.#pending = [];
		this.#held = [];
		this.#durable = 0;
		this.applied.length = 0;
		this.raft = new Raft(this.#options, restoredFrom(this.disk), this.nowMs);
		this.run();
	}

	propose(firstToken: number, ...sizes: number[]): string | null {
		const commands = (sizes.length === 0 ? [1] : sizes).map(
			(size) => new Uint8Array(size),
		);
		const refusal = this.raft.propose({
			kind: EntryKind.command,
			level: 1,
			commands,
			firstToken,
		});
		this.run();
		return refusal;
	}

	step(message: Message): void {
		this.raft.step(message, this.nowMs);
		this.run();
	}

	tick(elapsedMs: number): void {
		this.nowMs += elapsedMs;
		this.raft.tick(this.nowMs);
		this.run();
	}

	#process(ready: Ready): void {
		if (ready.write !== null) {
			this.writes.push(ready.write);
			this.#pending.push(ready.write);
		}
		for (const message of ready.messages) this.#send(message);
		if (ready.messagesAfterSync.length > 0)
			this.#held.push({
				after: ready.afterSequence,
				messages: ready.messagesAfterSync,
			});
		this.#release();
		if (ready.committed !== null) this.#apply(ready.committed);
		this.proposals.push(...ready.proposals);
		this.reads.push(...ready.reads);
		this.transfers.push(...ready.transfers);
		this.changes.push(...ready.changes);
		this.alarms.push(...ready.alarms);
		this.fetches.push(...ready.fetches);
		if (this.sync) this.syncNow();
	}

	#release(): void {
		while (
			this.#held[0] !== undefined &&
			this.#held[0].after <= this.#durable
		) {
			for (const message of this.#held.shift()?.messages ?? [])
				this.#send(message);
		}
	}

	#apply({
		first,
		last,
	}: {
		readonly first: number;
		readonly last: number;
	}): void {
		this.applied.push(...this.disk.entries.slice(first - 1, last));
		this.raft.applied(last);
	}
}

function cutAndAppend(log: Entry[], entries: readonly Entry[]): void {
	const first = entries[0];
	if (first === undefined) return;
	log.length = first.index - 1;
	log.push(...entries);
}

function restoredFrom({ hardState, entries }: Durable): Restored {
	const terms: TermRange[] = [];
	for (const { term, index } of entries) {
		if (terms[terms.length - 1]?.term !== term)
			terms.push({ term, first: index });
	}
	return {
		hardState,
		lastIndex: entries.length,
		terms,
		configurations: entries
			.filter((entry) => entry.kind === EntryKind.configuration)
			.map(({ index, data }) => ({
				index,
				configuration: decodeConfiguration(data),
			})),
		snapshot: null,
		tail: entries.slice(hardState.commit),
		applied: 0,
	};
}
