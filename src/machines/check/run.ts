import type { Machine } from "../machine.js";

export interface CheckedCommand {
	readonly command: Uint8Array;
	/** Of the entry; default is the one that the machine writes. */
	readonly level: number;
}

/** What one command came to. `given` are the machine's own bytes, which must stay as they are. */
export interface Step {
	readonly result: Buffer;
	readonly event: Buffer | null;
	readonly digest: Buffer | null;
	readonly given: readonly Uint8Array[];
}

/** Something that a machine must not do, and at which command: counted from 1, 0 for before the first. */
export class Fault extends Error {
	readonly what: string;
	readonly command: number;

	constructor(what: string, command: number, message: string) {
		super(message);
		this.what = what;
		this.command = command;
	}
}

/** A state on its way through the commands. Throws Fault where the machine fails or keeps to no contract. */
export class Run<State> {
	readonly #machine: Machine<State>;
	readonly #commands: readonly CheckedCommand[];
	#state: State;
	/** Commands that were executed. */
	#at: number;
	/** Of the commands so far, as the cluster's write level is never below it. */
	#level: number;

	constructor(
		machine: Machine<State>,
		commands: readonly CheckedCommand[],
		from: { readonly at: number; readonly snapshot: Buffer } | null = null,
	) {
		this.#machine = machine;
		this.#commands = commands;
		this.#at = from?.at ?? 0;
		this.#level = commands
			.slice(0, this.#at)
			.reduce(
				(highest, { level }) => Math.max(highest, level),
				machine.levels.reads[0],
			);
		this.#state = this.#guarded("restore", this.#at, () =>
			from === null ? machine.create() : restored(machine, from.snapshot),
		);
	}

	get at(): number {
		return this.#at;
	}

	/** Executes the next command. `isRough`: validate it first, and do to its bytes what a network buffer goes through. */
	step(isRough: boolean): Step {
		const { command, level } = this.#commands[this.#at] as CheckedCommand;
		this.#at++;
		this.#level = Math.max(this.#level, level);
		const bytes = Buffer.from(command);
		let event: Uint8Array | null = null;
		const emit = (told: Uint8Array) => {
			if (event !== null) throw new Error("it emits more than one event");
			event = bytesFrom(told);
		};
		return this.#guarded("apply", this.#at, () => {
			if (isRough) this.#machine.validate?.(bytes, this.#state);
			const context = { index: this.#at, level, emit };
			const given = bytesFrom(this.#machine.apply(this.#state, bytes, context));
			const result = Buffer.from(given);
			const told = event === null ? null : Buffer.from(event);
			if (isRough) bytes.fill(0xa5);
			const digest = this.#machine.digest?.(this.#state);
			return {
				...{ result, event: told },
				digest: digest === undefined ? null : Buffer.from(bytesFrom(digest)),
				given: event === null ? [given] : [given, event],
			};
		});
	}

	/** All of it, now. */
	snapshot(): Buffer {
		return this.#guarded("snapshot", this.#at, () =>
			Buffer.concat([...this.#chunks()].map(bytesFrom)),
		);
	}

	/** Begun now, and read to its end when the function that comes back is called. */
	beginSnapshot(): () => Buffer {
		const at = this.#at;
		return this.#guarded("snapshot", at, () => {
			const chunks = this.#chunks()[Symbol.iterator]();
			// As a node does: it asks for the first chunk at once.
			const all: Buffer[] = [];
			let next = chunks.next();
			return () =>
				this.#guarded("snapshot", at, () => {
					for (; !next.done; next = chunks.next())
						all.push(Buffer.from(bytesFrom(next.value)));
					return Buffer.concat(all);
				});
		});
	}

	#chunks(): Iterable<Uint8Array> {
		return this.#machine.snapshot(this.#state, this.#level);
	}

	/** A query that makes no sense is answered with null. */
	answer(query: Uint8Array): Buffer | null {
		try {
			return Buffer.from(
				bytesFrom(this.#machine.query(this.#state, Buffer.from(query))),
			);
		} catch (error) {
			if (error instanceof Error && error.name === "MachineInputError")
				return null;
			throw new Fault(
				"query",
				this.#at,
				`query failed after command ${this.#at}: ${reasonOf(error)}`,
			);
		}
	}

	#guarded<Result>(what: string, command: number, work: () => Result): Result {
		try {
			return work();
		} catch (error) {
			if (error instanceof Fault) throw error;
			const where = what === "apply" ? "at" : "after";
			throw new Fault(
				what,
				command,
				`${what} failed ${where} command ${command}: ${reasonOf(error)}`,
			);
		}
	}
}

/** Cut anew, as on the way between nodes; a restorer may keep nothing of what it was given. */
function restored<State>(machine: Machine<State>, snapshot: Buffer): State {
	const restorer = machine.restorer?.();
	if (restorer === undefined) return machine.restore(pieces(snapshot));
	for (const piece of pieces(snapshot)) {
		restorer.write(piece);
		piece.fill(0xa5);
	}
	return restorer.finish();
}

const pieceBytes = 1021;

function* pieces(snapshot: Buffer): Generator<Buffer> {
	for (let at = 0; at < snapshot.length; at += pieceBytes)
		yield Buffer.from(snapshot.subarray(at, at + pieceBytes));
}

function bytesFrom(told: unknown): Uint8Array {
	if (told instanceof Uint8Array) return told;
	throw new TypeError("it gave no bytes");
}

function reasonOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}
