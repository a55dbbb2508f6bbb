import { Raft } from "../../src/raft/raft.js";
import {
	type ChangeOutcome,
	type CoreAlarm,
	type Entry,
	EntryKind,
	type Fetch,
	type MemberChange,
	type Message,
	type ProposalOutcome,
	type RaftOptions,
	type ReadOutcome,
	type Ready,
	type Role,
	type SnapshotPoint,
	type TransferOutcome,
	type Write,
} from "../../src/raft/types.js";
import {
	compactDisk,
	type Durable,
	entriesOf,
	recover,
	store,
} from "./tiny-disk.js";

export type { Durable } from "./tiny-disk.js";

/** One node and its driver. `sync` says whether writes are durable at once or when the test says so. */
export class TinyNode {
	readonly id: string;
	readonly disk: Durable;
	raft: Raft;
	sync = true;
	/** Whether fetches are answered at once, or by the test. */
	readsDisk = false;
	nowMs = 0;
	/** Sees each Ready before anything is done with it. */
	watch: (ready: Ready) => void = () => {};
	/** Every write that was handed in, durable or not. */
	readonly writes: Write[] = [];
	readonly fetches: Fetch[] = [];
	readonly proposals: ProposalOutcome[] = [];
	readonly reads: ReadOutcome[] = [];
	readonly transfers: TransferOutcome[] = [];
	readonly changes: ChangeOutcome[] = [];
	readonly alarms: CoreAlarm[] = [];
	readonly applied: Entry[] = [];
	readonly restored: SnapshotPoint[] = [];
	/** The snapshot that it last asked for. */
	download: Ready["download"] = null;
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
		this.raft = new Raft(options, recover(disk), 0);
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

	/** The terms of the entries that its log holds, as far as it was handed in for writing. */
	get terms(): number[] {
		const copy = { ...this.disk, entries: [...this.disk.entries] };
		for (const write of this.#pending) store(copy, write);
		return copy.entries.map((entry) => entry.term);
	}

	/** How many writes are under way. */
	get writing(): number {
		return this.#pending.length;
	}

	/** Handles what the core has ready, until nothing is. */
	run(): void {
		while (this.raft.hasReady()) this.#process(this.raft.ready());
	}

	/** Makes the oldest `count` writes durable. */
	syncNow(count = Number.POSITIVE_INFINITY): void {
		for (const write of this.#pending.splice(0, count)) {
			store(this.disk, write);
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
		this.raft = new Raft(this.#options, recover(this.disk), this.nowMs);
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

	/** Asks for a change of membership; returns how that ended, if it has. */
	change(
		token: number,
		changes: readonly MemberChange[],
		more: {
			readonly expectedIndex?: number;
			readonly waived?: readonly ("catch-up" | "quorum")[];
		} = {},
	): ChangeOutcome | undefined {
		const { expectedIndex = null, waived = [] } = more;
		this.raft.changeConfiguration({ changes, expectedIndex, waived }, token);
		this.run();
		return this.changes.find((outcome) => outcome.token === token);
	}

	/** Takes a snapshot at `index`, which is applied. */
	snapshot(index: number): SnapshotPoint {
		const point = this.raft.pointAt(index);
		this.disk.snapshot = point;
		this.raft.snapshotSaved(point);
		return point;
	}

	compact(index: number): void {
		this.raft.compact(index);
		compactDisk(this.disk, index);
	}

	/** A snapshot has come and is on this disk. */
	install(point: SnapshotPoint): boolean {
		const newest = this.disk.snapshot?.index ?? 0;
		const used = this.raft.install(point);
		if (used && point.index > newest) this.disk.snapshot = point;
		this.run();
		return used;
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
		this.watch(ready);
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
		if (ready.restore !== null) this.#restore(ready.restore);
		if (ready.committed !== null) this.#apply(ready.committed);
		this.proposals.push(...ready.proposals);
		this.reads.push(...ready.reads);
		this.transfers.push(...ready.transfers);
		this.changes.push(...ready.changes);
		this.alarms.push(...ready.alarms);
		this.fetches.push(...ready.fetches);
		if (this.readsDisk) this.#answer(ready.fetches);
		if (ready.download !== null) this.download = ready.download;
		if (this.sync) this.syncNow();
	}

	#answer(fetches: readonly Fetch[]): void {
		for (const fetch of fetches)
			this.raft.fetched(fetch, entriesOf(this.disk, fetch.first, fetch.last));
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

	#restore(point: SnapshotPoint): void {
		this.applied.length = 0;
		this.restored.push(point);
		this.raft.applied(point.index);
	}

	#apply(range: { readonly first: number; readonly last: number }): void {
		this.applied.push(...entriesOf(this.disk, range.first, range.last));
		this.raft.applied(range.last);
	}
}
