import {
	applyControl,
	type ControlState,
	createControlState,
} from "../../src/machines/control.js";
import { Fingerprint } from "../../src/machines/fingerprint.js";
import {
	decodeSessionCommand,
	type SessionAnswer,
	type SessionStamp,
} from "../../src/machines/session-command.js";
import { type Entry, EntryKind } from "../../src/raft/types.js";
import { hasToken, keyOf, tokenOf } from "./commands.js";

/** What became of a session's command. */
export interface SessionResult {
	readonly stamp: SessionStamp;
	readonly answer: SessionAnswer;
	/** It was executed now, and not before. */
	readonly fresh: boolean;
}

/**
 * Registers, each holding the index of its last write; the cluster's own state with its sessions, which is the real
 * one; and a hash chained over everything that was applied and what it did.
 */
export class RegisterMachine {
	applied = 0;
	hash = 0;
	readonly registers: Int32Array;
	control: ControlState = createControlState();

	constructor(keys: number) {
		this.registers = new Int32Array(keys);
	}

	/** The level that the cluster may write. */
	get writeLevel(): number {
		return this.control.writeLevel?.level ?? 1;
	}

	/** Returns what a session's command came to; null for other entries. */
	apply(entry: Entry): SessionResult | null {
		this.applied = entry.index;
		let hash = Math.imul(this.hash ^ entry.index, 0x01000193);
		hash = Math.imul(hash ^ entry.term, 0x01000193);
		hash = Math.imul(hash ^ entry.kind, 0x01000193);
		hash = Math.imul(hash ^ entry.data.length, 0x01000193);
		if (hasToken(entry))
			hash = Math.imul(hash ^ (tokenOf(entry) | 0), 0x01000193);
		this.hash = hash;
		switch (entry.kind) {
			case EntryKind.command:
				this.#write(entry);
				return null;
			case EntryKind.control:
				this.#mix(applyControl(this.control, entry.data, entry.index).length);
				return null;
			case EntryKind.sessionCommand:
				return this.#once(entry);
			default:
				return null;
		}
	}

	#write(entry: Entry): void {
		const key = keyOf(entry);
		// What was there is part of the hash: a state that differs shows at once.
		this.#mix(this.registers[key] as number);
		this.registers[key] = entry.index;
	}

	#once(entry: Entry): SessionResult {
		const { stamp } = decodeSessionCommand(entry.data);
		const { sessions, nowMs } = this.control;
		const before = sessions.begin(stamp, nowMs);
		if (before !== null) {
			this.#mix(before.kind === "executed" ? before.index : -1);
			return { stamp, answer: before, fresh: false };
		}
		const result = Uint8Array.of(stamp.sequence & 0xff);
		sessions.keep(stamp, entry.index, result);
		this.#mix(entry.index);
		const answer = { kind: "executed", index: entry.index, result } as const;
		return { stamp, answer, fresh: true };
	}

	#mix(value: number): void {
		this.hash = Math.imul(this.hash ^ value, 0x01000193);
	}

	/** Members whose logs went back, as the cluster knows. */
	wentBack(): string[] {
		return [...this.control.alarms.values()]
			.filter(({ kind }) => kind === "log-went-back")
			.map(({ node }) => node);
	}

	/** As it stands now; neither is changed by what happens to the other. */
	copy(): RegisterMachine {
		const copy = new RegisterMachine(this.registers.length);
		copy.registers.set(this.registers);
		copy.applied = this.applied;
		copy.hash = this.hash;
		copy.control = {
			...this.control,
			sessions: this.control.sessions.frozen(),
		};
		return copy;
	}

	/** Of the state itself, not of how it came about. */
	digest(): string {
		const print = new Fingerprint().begin().number(this.applied);
		for (const value of this.registers) print.number(value);
		this.control.sessions.fingerprint(print);
		print.number(this.control.nowMs).number(this.writeLevel);
		for (const name of this.control.alarms.keys()) print.text(name);
		const { low, high } = print.end();
		return `${low}:${high}`;
	}
}
