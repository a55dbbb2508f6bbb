import { reasonOf } from "../../errors.js";
import type { Machine, MachineJson } from "../../machines/machine.js";
import { RequestError } from "./failures.js";
import { parseJson } from "./json-text.js";

/**
 * Between JSON and the machine's bytes. Without words of its own, the machine's bytes are UTF-8 JSON themselves. What
 * the machine says comes as JSON text, so that whatever it says wrong ends here.
 */
export class Words {
	readonly #machine: Machine;

	constructor(machine: Machine) {
		this.#machine = machine;
	}

	/** In the format of `level`. Throws RequestError "invalid". */
	command(json: unknown, level: number): Uint8Array {
		return this.#read("command", json, (words) => words.command(json, level));
	}

	/** Throws RequestError "invalid". */
	query(json: unknown): Uint8Array {
		return this.#read("query", json, (words) => words.query(json));
	}

	/** JSON text. */
	result(bytes: Uint8Array): string {
		return this.#show("result", bytes);
	}

	/** JSON text. */
	answer(bytes: Uint8Array): string {
		return this.#show("answer", bytes);
	}

	/** JSON text. */
	event(bytes: Uint8Array): string {
		return this.#show("event", bytes);
	}

	#read(
		what: "command" | "query",
		json: unknown,
		translate: (words: MachineJson) => Uint8Array,
	): Uint8Array {
		const { json: words } = this.#machine;
		if (words === undefined) return Buffer.from(JSON.stringify(json));
		try {
			const bytes: unknown = translate(words);
			if (bytes instanceof Uint8Array) return bytes;
			throw new Error(`the machine has no bytes for this ${what}`);
		} catch (error) {
			// A machine that stumbles over a caller's JSON must not take the node with it.
			throw new RequestError("invalid", reasonOf(error));
		}
	}

	/** What happened has happened: bytes that cannot be translated are shown as they are. */
	#show(what: "result" | "answer" | "event", bytes: Uint8Array): string {
		const { json: words } = this.#machine;
		try {
			const shown =
				words === undefined && bytes.length > 0
					? parseJson(bytes)
					: words?.[what](bytes);
			// Undefined for what JSON has no word for, a function say; a bigint or a circle throws.
			return JSON.stringify(shown) ?? "null";
		} catch {
			return JSON.stringify({ base64: Buffer.from(bytes).toString("base64") });
		}
	}
}
