import { OperatorError, reasonOf } from "../../../errors.js";
import { ByteReader, ByteWriter } from "../../../machines/byte-cursor.js";
import { decodeControl } from "../../../machines/control/snapshot.js";
import {
	type ControlState,
	createControlState,
} from "../../../machines/control.js";
import type { Machine, StateRestorer } from "../../../machines/machine.js";
import { SessionRecordReader } from "../../../machines/sessions-snapshot.js";
import type { HistoryEvents } from "../event-history.js";
import { Slab } from "../event-slab.js";
import { StateDigests } from "./digests.js";
import { FrameReader } from "./frame-reader.js";
import { Section } from "./frames.js";
import { unreadableBecause } from "./levels.js";

/** All that a snapshot holds. */
export interface RestoredParts {
	readonly control: ControlState;
	readonly digests: StateDigests;
	readonly events: HistoryEvents;
	readonly machine: unknown;
}

/** Bytes that one step takes; the machine's part of it is what takes time. */
const stepBytes = 64 * 1024;
/** After so long the event loop gets its turn. */
const turnLimitMs = 5;

/** The record of the section `head`: u48 index | the machine's name. */
export function encodeHead(index: number, machine: string): Uint8Array {
	const name = Buffer.from(machine);
	return new ByteWriter(6 + name.length).u48(index).raw(name).bytes;
}

/** Builds a state beside the one in use, in steps that hold up nobody for long. */
export class SnapshotReader {
	readonly #index: number;
	readonly #machine: Machine;
	readonly #frames: FrameReader;
	#control: ControlState = createControlState();
	#sessions = new SessionRecordReader(this.#control.sessions);
	#digests = new StateDigests();
	readonly #events: (readonly [index: number, event: Uint8Array])[] = [];
	readonly #slab = new Slab();
	#oldestEvent: number | null = null;
	/** Records so far of the sections that have exactly one. */
	#singles = 0;
	#restoring: StateRestorer<unknown> | null = null;
	#turnMs = performance.now();

	constructor(index: number, machine: Machine) {
		this.#index = index;
		this.#machine = machine;
		this.#frames = new FrameReader({
			begin: (section) => this.#begin(section),
			record: (section, record) => this.#record(section, record),
			machine: (bytes) => this.#restoring?.write(bytes),
		});
	}

	/** The chunk is the caller's again once this has resolved. Rejects when it cannot be a part of the snapshot. */
	async write(chunk: Uint8Array): Promise<void> {
		for (let at = 0; at < chunk.length; at += stepBytes) {
			if (performance.now() - this.#turnMs >= turnLimitMs) await this.#pause();
			this.#guarded(() =>
				this.#frames.write(chunk.subarray(at, at + stepBytes)),
			);
		}
	}

	/** Throws when the snapshot is not whole. */
	finish(): RestoredParts {
		return this.#guarded(() => {
			if (!this.#frames.isEnded || this.#restoring === null)
				throw new Error("it is cut short");
			return {
				control: this.#control,
				digests: this.#digests,
				events: {
					oldestIndex: this.#oldestEvent ?? 0,
					events: this.#events,
				},
				machine: this.#restoring.finish(),
			};
		});
	}

	async #pause(): Promise<void> {
		await new Promise((resolve) => setImmediate(resolve));
		this.#turnMs = performance.now();
	}

	#guarded<Result>(work: () => Result): Result {
		try {
			return work();
		} catch (cause) {
			if (cause instanceof OperatorError) throw cause;
			throw new Error(
				`the snapshot at index ${this.#index} cannot be restored: ${reasonOf(cause)}`,
				{ cause },
			);
		}
	}

	#begin(section: Section): void {
		const singles = [Section.head, Section.control, Section.digests];
		const expected = singles.filter((single) => single < section).length;
		if (this.#singles !== expected)
			throw new Error(`section ${section - 1} has not exactly one record`);
		if (section !== Section.machine) return;
		if (this.#oldestEvent === null)
			throw new Error("it does not say which events it holds");
		this.#refuseUnreadable();
		this.#restoring = this.#machine.restorer?.() ?? collecting(this.#machine);
	}

	#record(section: Section, record: Buffer): void {
		switch (section) {
			case Section.head:
				this.#singles++;
				this.#readHead(record);
				return;
			case Section.control:
				this.#singles++;
				this.#control = decodeControl(record);
				this.#sessions = new SessionRecordReader(this.#control.sessions);
				return;
			case Section.sessions:
				this.#sessions.add(record);
				return;
			case Section.digests:
				this.#singles++;
				this.#digests = StateDigests.decode(record);
				return;
			default:
				this.#readEvent(record);
		}
	}

	#readHead(record: Buffer): void {
		const reader = new ByteReader(record);
		const index = reader.u48("the index");
		const name = reader.rest().toString("utf8");
		if (index !== this.#index)
			throw new Error(`its content is the state at index ${index}`);
		if (name !== this.#machine.name)
			throw new Error(
				`it is of machine ${name}, this node runs ${this.#machine.name}`,
			);
	}

	/** The first record says from which index on every event is there. */
	#readEvent(record: Buffer): void {
		const reader = new ByteReader(record);
		const index = reader.u48("the index of an event");
		if (this.#oldestEvent === null) {
			this.#oldestEvent = index;
			return;
		}
		const least = (this.#events.at(-1)?.[0] ?? this.#oldestEvent - 1) + 1;
		if (index < least || index > this.#index)
			throw new Error(`the event ${index} is out of order`);
		this.#events.push([index, this.#slab.copy(reader.rest())]);
	}

	/** Before the machine sees bytes that a later release may have written otherwise (P61). */
	#refuseUnreadable(): void {
		const reason = unreadableBecause({
			machine: this.#machine,
			agreed: this.#control.writeLevel,
		});
		if (reason === null) return;
		throw new OperatorError("refused", reason, {
			state: `the snapshot at index ${this.#index} was not restored`,
			next: "start the node with the release that is named",
		});
	}
}

/** For a machine that restores all at once: there is no way but to gather all of it first. */
function collecting(machine: Machine): StateRestorer<unknown> {
	const chunks: Uint8Array[] = [];
	return {
		write: (chunk) => void chunks.push(Uint8Array.prototype.slice.call(chunk)),
		finish: () => machine.restore(chunks),
	};
}
