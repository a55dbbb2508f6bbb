import type { ControlState } from "../control.js";
import { Fingerprint } from "../fingerprint.js";
import type { StoredOperation } from "./journal.js";
import { encodeSettings } from "./snapshot.js";

const encoder = new TextEncoder();
const ofOperations = new WeakMap<StoredOperation, Uint8Array>();
const ofJournals = new WeakMap<readonly StoredOperation[], Uint8Array>();

/**
 * What a digest of the state is taken of, without the sessions: equal states have equal parts. The journal is large and
 * seldom changes, and digests are taken all the time: of it there is a fingerprint, each operation's computed once.
 */
export function digestedControl(state: Readonly<ControlState>): {
	readonly settings: Uint8Array;
	/** Null while the journal is empty. */
	readonly journal: Uint8Array | null;
} {
	const { operations } = state;
	return {
		settings: encodeSettings(state),
		journal:
			operations.length === 0
				? null
				: remembered(ofJournals, operations, fingerprintAll),
	};
}

function fingerprintAll(operations: readonly StoredOperation[]): Uint8Array {
	const whole = new Fingerprint();
	for (const operation of operations)
		whole.bytes(remembered(ofOperations, operation, fingerprintOne));
	return whole.encoded();
}

function fingerprintOne(operation: StoredOperation): Uint8Array {
	const bytes = encoder.encode(JSON.stringify(operation));
	return new Fingerprint().bytes(bytes).encoded();
}

function remembered<Key extends object>(
	memory: WeakMap<Key, Uint8Array>,
	key: Key,
	compute: (key: Key) => Uint8Array,
): Uint8Array {
	const known = memory.get(key);
	if (known !== undefined) return known;
	const computed = compute(key);
	memory.set(key, computed);
	return computed;
}
