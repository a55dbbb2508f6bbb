import {
	type ApplyContext,
	defineMachine,
	MachineInputError,
} from "../../src/machines/machine.js";
import type { Change, Command, Query, Result, Value } from "./words.js";

/**
 * What the torture runs let raftd execute: registers, lists and counters whose every result tells something about the
 * order in which commands were executed. Commands, queries and answers are JSON.
 */
export default defineMachine<State>({
	name: "torture",
	levels: { reads: [1, 1], writes: 1 },
	create: () => ({ values: new Map(), digest: 0n }),
	apply(state, bytes, context) {
		const command = parse(bytes) as Command;
		return encode(execute(state, command, context));
	},
	query(state, bytes) {
		const query = parse(bytes) as Query;
		if (query.op === "digest") return encode(state.digest.toString(16));
		if (query.op === "read") return encode(heldAt(state, query.key));
		throw new MachineInputError('"op" of a query is "read" or "digest"');
	},
	snapshot(state) {
		// By key, as equal states have equal bytes whatever order their keys came in.
		const values = [...state.values].sort(([a], [b]) => (a < b ? -1 : 1));
		return pieces(encode(values));
	},
	restore(chunks) {
		const values = new Map(
			JSON.parse(Buffer.concat([...chunks]).toString()) as [string, Value][],
		);
		let digest = 0n;
		for (const [key, value] of values) digest += code(key, value);
		return { values, digest: digest & mask };
	},
	digest: ({ digest }) => Buffer.from(digest.toString(16)),
});

interface State {
	readonly values: Map<string, Value>;
	/** The sum of the codes of all keys: it does not depend on their order, and is kept up at every change. */
	digest: bigint;
}

function execute(
	state: State,
	command: Command,
	context: ApplyContext,
): Result | { readonly invalid: string } {
	const { id, key } = command;
	const held = heldAt(state, key);
	const change = (after: Value, value: number): void => {
		const before = state.values.has(key) ? code(key, held) : 0n;
		state.digest = (state.digest - before + code(key, after)) & mask;
		state.values.set(key, after);
		const told: Change = { id, key, value };
		context.emit(encode(told));
	};
	if (command.op === "swap" && held !== command.expect) return false;
	if (command.op === "write" || command.op === "swap") {
		change(command.value, command.value);
		return true;
	}
	if (command.op === "increment" && typeof held === "number") {
		change(held + 1, held + 1);
		return held + 1;
	}
	if (command.op === "append" && typeof held === "object" && held !== null) {
		// Another list, as a snapshot may still be reading this one.
		change([...held, command.element], command.element);
		return held.length + 1;
	}
	return { invalid: `${command.op} of ${key}` };
}

function heldAt({ values }: State, key: string): Value {
	const value = values.get(key);
	if (value !== undefined) return value;
	if (key.startsWith("list")) return [];
	return key.startsWith("counter") ? 0 : null;
}

const mask = (1n << 64n) - 1n;

/** 64 bits of FNV-1a over the key and its value. */
function code(key: string, value: Value): bigint {
	let hash = 0xcbf29ce484222325n;
	for (const byte of encode([key, value]))
		hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & mask;
	return hash;
}

function parse(bytes: Uint8Array): unknown {
	return JSON.parse(Buffer.from(bytes).toString());
}

function encode(json: unknown): Buffer {
	return Buffer.from(JSON.stringify(json));
}

const pieceBytes = 64 * 1024;

function* pieces(bytes: Buffer): Iterable<Uint8Array> {
	for (let at = 0; at < bytes.length; at += pieceBytes)
		yield bytes.subarray(at, at + pieceBytes);
}
