import { reasonOf } from "../../errors.js";
import { digestedControl } from "../../machines/control/digest.js";
import {
	type ControlState,
	createControlState,
	executeControl,
	parseControl,
	type WriteLevel,
} from "../../machines/control.js";
import { Fingerprint } from "../../machines/fingerprint.js";
import { type Machine, MachineInputError } from "../../machines/machine.js";
import {
	decodeSessionCommand,
	encodeSessionAnswer,
	lastingPart,
	type SessionAnswer,
} from "../../machines/sessions.js";
import { type Entry, EntryKind } from "../../raft/types.js";
import { EventHistory } from "./event-history.js";
import { bytesFrom, Context } from "./state/context.js";
import {
	type Disagreement,
	digestInterval,
	type StateDigest,
	StateDigests,
} from "./state/digests.js";
import {
	agreedLevelOf,
	levelRefusal,
	unreadableBecause,
	unreadableEntry,
	writtenLevelOf,
} from "./state/levels.js";
import { SnapshotReader } from "./state/restorer.js";
import { snapshotChunks } from "./state/snapshot.js";

const nothing = new Uint8Array(0);

/** Why nothing is applied any more. unreadable-entry: a later release is needed (P61). */
export interface ApplyFailure {
	readonly kind: "unreadable-entry" | "machine-failed";
	/** Of the first entry that was not applied. */
	readonly index: number;
	readonly level: number;
	readonly message: string;
}

/**
 * What the log amounts to on this node: the machine's state, the cluster's own with its sessions, digests of both, and
 * the latest events. An entry that it cannot read, or on which the machine fails, stops it for good: what comes after
 * could only be wrong.
 */
export class ReplicatedState {
	readonly events: EventHistory;
	readonly #machine: Machine;
	#state: unknown;
	#control = createControlState();
	#digests = new StateDigests();
	readonly #context = new Context();
	#applied = 0;
	#failure: ApplyFailure | null = null;
	#disagreement: Disagreement | null = null;

	constructor(
		machine: Machine,
		limits: { readonly maxEvents: number; readonly maxEventBytes: number },
	) {
		this.#machine = machine;
		this.#state = machine.create();
		this.events = new EventHistory({
			maxEvents: limits.maxEvents,
			maxBytes: limits.maxEventBytes,
			applied: 0,
		});
	}

	get applied(): number {
		return this.#applied;
	}

	/** Why nothing is applied any more; null while all is well. */
	get failure(): string | null {
		return this.#failure?.message ?? null;
	}

	/** The failure, when it is that an entry cannot be read by this release. */
	get unreadable(): ApplyFailure | null {
		return this.#failure?.kind === "unreadable-entry" ? this.#failure : null;
	}

	get control(): Readonly<ControlState> {
		return this.#control;
	}

	/** The cluster's: no command is written above it. */
	get writeLevel(): number {
		return this.agreedLevel.level;
	}

	/** The same, with the release that set it; "" until one has. */
	get agreedLevel(): WriteLevel {
		return agreedLevelOf(this.#levelFacts());
	}

	/** That at which this release writes a command whose level nobody chose. */
	get writtenLevel(): number {
		return writtenLevelOf(this.#levelFacts());
	}

	/** What this release reads and writes. */
	get levels() {
		const [readsFrom, readsTo] = this.#machine.levels.reads;
		return { readsFrom, readsTo, writes: this.#machine.levels.writes };
	}

	/** Why a command of this level must not be proposed; null when it may. 0 stands for `writtenLevel`. */
	refusesLevel(level: number): string | null {
		return levelRefusal(this.#levelFacts(), level || this.writtenLevel);
	}

	/** Why this release must not take part: it cannot read what the cluster writes. Null when it can. */
	unreadableBecause(): string | null {
		return unreadableBecause(this.#levelFacts());
	}

	#levelFacts() {
		return { machine: this.#machine, agreed: this.#control.writeLevel };
	}

	/** Whether time must be told to the cluster, with the control command `tick`: something waits for it to pass. */
	get wantsTick(): boolean {
		return this.#control.sessions.size > 0 || this.#control.lock !== null;
	}

	/** What a leader proposes with the control command `compare-state`. */
	get newestDigest(): StateDigest | null {
		return this.#digests.newest;
	}

	/** The latest one found since the state was made or restored. It changes nothing in the state. */
	get disagreement(): Disagreement | null {
		return this.#disagreement;
	}

	/**
	 * Executes the next entry; returns its result, or null when this state has failed, now or before. That of a session's
	 * command is a SessionAnswer in bytes.
	 */
	apply(entry: Entry): Uint8Array | null {
		if (this.#failure !== null) return null;
		if (entry.index !== this.#applied + 1)
			throw new Error(
				`invariant: entry ${entry.index} applied after ${this.#applied}`,
			);
		const result = this.#execute(entry);
		if (result === null) return null;
		this.#applied = entry.index;
		this.events.appliedTo(entry.index);
		const isOfSession = entry.kind === EntryKind.sessionCommand;
		if (result.length > 0)
			this.#digests.executed(isOfSession ? lastingPart(result) : result);
		if (entry.index % digestInterval === 0) this.#takeDigest(entry);
		return result;
	}

	#execute(entry: Entry): Uint8Array | null {
		const unreadable = unreadableEntry(this.#levelFacts(), entry);
		if (unreadable !== null)
			return this.#fail("unreadable-entry", entry, unreadable);
		switch (entry.kind) {
			case EntryKind.command:
				return this.#executeCommand(entry, entry.data);
			case EntryKind.sessionCommand:
				return this.#executeOnce(entry);
			case EntryKind.control:
				return this.#executeControl(entry);
			default:
				return nothing;
		}
	}

	#executeCommand(entry: Entry, command: Uint8Array): Uint8Array | null {
		const context = this.#context;
		context.begin(entry.index, entry.level);
		try {
			const result = bytesFrom(
				this.#machine.apply(this.#state, command, context),
			);
			if (context.event !== null) {
				this.events.add(entry.index, context.event, command);
				this.#digests.told(context.event);
			}
			return result;
		} catch (error) {
			return this.#machineFailed(entry, error);
		}
	}

	/** A second attempt gets what the first one got, and tells nobody anything (P58). */
	#executeOnce(entry: Entry): Uint8Array | null {
		const { index } = entry;
		const { sessions, nowMs } = this.#control;
		const read = readSessionCommand(entry.data);
		if ("kind" in read) return encodeSessionAnswer(read, index);
		const { stamp, command } = read;
		const verdict = sessions.begin(stamp, nowMs);
		if (verdict !== null) return encodeSessionAnswer(verdict, index);
		const result = this.#executeCommand(entry, command);
		if (result === null) return null;
		sessions.keep(stamp, index, result);
		return encodeSessionAnswer({ kind: "executed", index, result }, index);
	}

	#executeControl(entry: Entry): Uint8Array {
		const command = parseControl(entry.data);
		if (command?.type === "compare-state")
			this.#disagreement =
				this.#digests.compare(command.index, command.digest) ??
				this.#disagreement;
		return executeControl(this.#control, command, entry.index);
	}

	#takeDigest(entry: Entry): void {
		try {
			const machine = this.#machine.digest?.(this.#state);
			const sessions = new Fingerprint();
			this.#control.sessions.fingerprint(sessions);
			const { settings, journal } = digestedControl(this.#control);
			this.#digests.take(entry.index, [
				machine === undefined ? nothing : bytesFrom(machine),
				settings,
				sessions.encoded(),
				...(journal === null ? [] : [journal]),
			]);
		} catch (error) {
			this.#machineFailed(entry, error);
		}
	}

	#machineFailed(entry: Entry, error: unknown): null {
		const { name } = this.#machine;
		const message = `machine ${name} failed on entry ${entry.index}: ${reasonOf(error)}`;
		return this.#fail("machine-failed", entry, message);
	}

	#fail(
		kind: ApplyFailure["kind"],
		{ index, level }: Entry,
		message: string,
	): null {
		this.#failure = { kind, index, level, message };
		return null;
	}

	/** Why the command can never be applied; null when it may be proposed. */
	refuses(command: Uint8Array): string | null {
		try {
			return this.#machine.validate?.(command, this.#state) ?? null;
		} catch (error) {
			return `machine ${this.#machine.name} failed to validate it: ${reasonOf(error)}`;
		}
	}

	/** Throws what the machine throws, and for an answer that is no bytes. */
	query(query: Uint8Array): Uint8Array {
		return bytesFrom(this.#machine.query(this.#state, query));
	}

	/**
	 * All of this in chunks of at most 256 KiB, each in memory of its own; nothing that is applied later shows in them.
	 * Throws once this state has failed, as the machine may have stopped half-way, and what the machine throws.
	 */
	snapshot(): {
		readonly index: number;
		readonly chunks: Iterator<Uint8Array>;
	} {
		if (this.#failure !== null) throw new Error(this.#failure.message);
		const chunks = snapshotChunks({
			index: this.#applied,
			...{ control: this.#control, digests: this.#digests },
			...{ events: this.events, machine: this.#machine, state: this.#state },
			level: this.writeLevel,
		});
		return { index: this.#applied, chunks };
	}

	/**
	 * Takes a snapshot of the state at `index` in chunks cut anywhere. Nothing changes before `finish`, which replaces all
	 * of this at once, a failure included. What cannot be used is refused with a reason: `write` rejects, `finish` throws.
	 */
	restorer(index: number): {
		write(chunk: Uint8Array): Promise<void>;
		finish(): void;
	} {
		const reader = new SnapshotReader(index, this.#machine);
		return {
			write: (chunk) => reader.write(chunk),
			finish: () => {
				if (index < this.#applied)
					throw new Error(
						`invariant: a snapshot at ${index} after ${this.#applied}`,
					);
				const { control, digests, events, machine } = reader.finish();
				this.#state = machine;
				this.#control = control;
				this.#digests = digests;
				this.#applied = index;
				this.#failure = null;
				this.#disagreement = null;
				this.events.restore(events, index);
			},
		};
	}
}

/** What a session's entry asks for, or the answer to one that nobody can have meant. */
function readSessionCommand(
	data: Uint8Array,
): ReturnType<typeof decodeSessionCommand> | SessionAnswer {
	try {
		return decodeSessionCommand(data);
	} catch (error) {
		if (!(error instanceof MachineInputError)) throw error;
		const { message } = error;
		return { kind: "refused", reason: "session-misused", message };
	}
}
