export {
	type CheckDifference,
	type CheckOptions,
	type CheckReport,
	checkMachine,
} from "./check.js";

/**
 * The contract of a state machine. A machine is deterministic and synchronous: the same commands in the same order
 * give the same state and the same results on every node, with no clock, no randomness and no I/O.
 */
export interface Machine<State = unknown> {
	readonly name: string;
	/** The entry formats that this release reads (inclusive range) and the one it can write. */
	readonly levels: {
		readonly reads: readonly [number, number];
		readonly writes: number;
	};
	create(): State;
	/** Executes a command. Its result goes back to the caller; what it emits goes to subscribers. */
	apply(state: State, command: Uint8Array, context: ApplyContext): Uint8Array;
	/** Answers a question without changing anything. Throw `MachineInputError` for one that makes no sense. */
	query(state: State, query: Uint8Array): Uint8Array;
	/** A sentence that says why the command can never be applied, or null. Runs before the log sees the command, on one node. */
	validate?(command: Uint8Array, state: State): string | null;
	/**
	 * The state in chunks, in a form that every release can restore that reads `level`, the cluster's write level. The
	 * chunks are asked for little by little while commands go on, none of which may show in them: freeze at the call. Equal
	 * states give equal bytes.
	 */
	snapshot(state: State, level: number): Iterable<Uint8Array>;
	/** The chunks are those of a snapshot, cut anew. Throws for what is none. */
	restore(chunks: Iterable<Uint8Array>): State;
	/** The same for a large state: piece by piece as it arrives, rather than all at once while the node stands still. */
	restorer?(): StateRestorer<State>;
	/**
	 * A short digest of the whole state, which nodes compare at fixed indexes (P60): equal states have equal digests,
	 * whatever way led to them, and in every release that may run beside another. Called often, so keep it up to date
	 * rather than compute it. Without it only results and events are compared.
	 */
	digest?(state: State): Uint8Array;
	/** How people and scripts write this machine's bytes in JSON. Without it, commands are UTF-8 JSON themselves. */
	readonly json?: MachineJson;
}

/** A state under way. Each call takes a few milliseconds at most, and throws for what is no snapshot. */
export interface StateRestorer<State> {
	/** The chunk is the caller's again after the call. */
	write(chunk: Uint8Array): void;
	finish(): State;
}

export interface ApplyContext {
	readonly index: number;
	/** Of the entry format that the command is written in: within `levels.reads`. */
	readonly level: number;
	/** Tells subscribers. At most one event for each command. */
	emit(event: Uint8Array): void;
}

/** `level` is the cluster's write level, which the bytes must not exceed. Each throws `MachineInputError` for JSON (or bytes) that it cannot translate. */
export interface MachineJson {
	command(json: unknown, level: number): Uint8Array;
	/** The way back, for people who read a log. Without it they see hexadecimal. `level` is the entry's. */
	readCommand?(command: Uint8Array, level: number): unknown;
	query(json: unknown): Uint8Array;
	result(result: Uint8Array): unknown;
	answer(answer: Uint8Array): unknown;
	event(event: Uint8Array): unknown;
}

/** The caller's mistake, told to the caller; never the node's. */
export class MachineInputError extends Error {
	override readonly name = "MachineInputError";
}

/** Gives a machine its types; what `raftd --app` imports is the default export of such a call. */
export function defineMachine<State>(machine: Machine<State>): Machine<State> {
	return machine;
}
