import { parseControl } from "../../machines/control.js";
import type { Machine } from "../../machines/machine.js";
import {
	decodeSessionCommand,
	type SessionStamp,
} from "../../machines/session-command.js";
import { decodeConfiguration } from "../../raft/codec.js";
import { type Entry, EntryKind } from "../../raft/types.js";

/** An entry as people and scripts read it; exactly one of `content` and `hex` is there, none for an empty entry. */
export interface EntryWords {
	readonly index: number;
	readonly term: number;
	/** The name of the kind, or kind-N for one that this release does not know. */
	readonly kind: string;
	readonly level: number;
	/** Of the data, the stamp of a session included. */
	readonly bytes: number;
	/** Of a session's command. */
	readonly session?: SessionStamp;
	/** In JSON: the command in the machine's words, a configuration, a command to the cluster's own state. */
	readonly content?: unknown;
	/** The bytes that nobody here can read. */
	readonly hex?: string;
}

/** `machine`: null when it is not known whose commands these are. */
export function wordsOf(entry: Entry, machine: Machine | null): EntryWords {
	const { index, term, kind, level, data } = entry;
	const head = { index, term, kind: kindName(kind), level, bytes: data.length };
	if (data.length === 0) return head;
	switch (kind) {
		case EntryKind.configuration:
			return { ...head, ...readBy(data, () => decodeConfiguration(data)) };
		case EntryKind.control:
			return { ...head, ...readBy(data, () => parseControl(data)) };
		case EntryKind.command:
			return { ...head, ...commandWords(data, level, machine) };
		case EntryKind.sessionCommand: {
			const read = stamped(data);
			if (read === null) return { ...head, hex: hexOf(data) };
			const { stamp: session, command } = read;
			return { ...head, session, ...commandWords(command, level, machine) };
		}
		default:
			return { ...head, hex: hexOf(data) };
	}
}

const names = new Map<number, string>(
	Object.entries(EntryKind).map(([name, kind]) => [kind, name]),
);

function kindName(kind: number): string {
	return names.get(kind) ?? `kind-${kind}`;
}

function commandWords(
	command: Uint8Array,
	level: number,
	machine: Machine | null,
) {
	return readBy(command, () => {
		if (machine === null) return null;
		if (machine.json === undefined) return JSON.parse(utf8.decode(command));
		return machine.json.readCommand?.(command, level) ?? null;
	});
}

/** Null, or a throw, for bytes that it cannot read. */
function readBy(
	bytes: Uint8Array,
	read: () => unknown,
): { content: unknown } | { hex: string } {
	try {
		const content = read();
		if (content !== null && content !== undefined) return { content };
	} catch {
		// Whatever a machine throws: this is for looking, and the bytes are there all the same.
	}
	return { hex: hexOf(bytes) };
}

function stamped(data: Uint8Array) {
	try {
		return decodeSessionCommand(data);
	} catch {
		return null;
	}
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function hexOf(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
		"hex",
	);
}
