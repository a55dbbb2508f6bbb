import { reasonOf } from "../../errors.js";
import {
	applyControl,
	type ControlState,
	createControlState,
} from "../../machines/control.js";
import type { ApplyContext, Machine } from "../../machines/machine.js";
import { type Entry, EntryKind } from "../../raft/types.js";
import { EventHistory } from "./event-history.js";

const nothing = new Uint8Array(0);

/**
 * What the log amounts to on this node: the machine's state, the cluster's own, and the latest events. An entry that it
 * cannot read, or on which the machine fails, stops it for good: what comes after could only be wrong.
 */
export class ReplicatedState {
	readonly events: EventHistory;
	readonly #machine: Machine;
	readonly #state: unknown;
	readonly #control = createControlState();
	readonly #context = new Context();
	#applied = 0;
	#failure: string | null = null;

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
		return this.#failure;
	}

	get control(): Readonly<ControlState> {
		return this.#control;
	}

	/** The format that this release writes. */
	get level(): number {
		return this.#machine.levels.writes;
	}

	/** Executes the next entry; returns its result, or null when this state has failed, now or before. */
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
		return result;
	}

	#execute(entry: Entry): Uint8Array | null {
		switch (entry.kind) {
			case EntryKind.command:
				return this.#executeCommand(entry);
			case EntryKind.control:
				return applyControl(this.#control, entry.data, entry.index);
			default:
				return nothing;
		}
	}

	#executeCommand(entry: Entry): Uint8Array | null {
		const [oldest, newest] = this.#machine.levels.reads;
		if (entry.level < oldest || entry.level > newest) {
			this.#failure = `entry ${entry.index} has level ${entry.level}; this release of machine ${this.#machine.name} reads ${oldest} to ${newest}`;
			return null;
		}
		const context = this.#context;
		context.begin(entry.index, entry.level);
		try {
			const result = bytesFrom(
				this.#machine.apply(this.#state, entry.data, context),
			);
			if (context.event !== null) this.events.add(entry.index, context.event);
			return result;
		} catch (error) {
			this.#failure = `machine ${this.#machine.name} failed on entry ${entry.index}: ${reasonOf(error)}`;
			return null;
		}
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
}

/** The compiler does not watch over a machine that comes as a file of its own. */
function bytesFrom(told: unknown): Uint8Array {
	if (told instanceof Uint8Array) return told;
	throw new TypeError("it gave no bytes");
}

/** One for all entries, as a machine does not keep it. */
class Context implements ApplyContext {
	index = 0;
	level = 0;
	event: Uint8Array | null = null;

	begin(index: number, level: number): void {
		this.index = index;
		this.level = level;
		this.event = null;
	}

	/** Bound, as a machine may take it out of its context. */
	readonly emit = (event: Uint8Array): void => {
		if (this.event !== null)
			throw new Error("a command emits at most one event");
		this.event = bytesFrom(event);
	};
}
