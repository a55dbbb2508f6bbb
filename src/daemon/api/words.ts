import { reasonOf } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import { RequestError } from "./failures.js";
import { parseJson } from "./json-text.js";

/** Between JSON and the machine's bytes. Without words of its own, the machine's bytes are UTF-8 JSON themselves. */
export class Words {
	readonly #machine: Machine;

	constructor(machine: Machine) {
		this.#machine = machine;
	}

	/** Throws RequestError "invalid". */
	command(json: unknown): Uint8Array {
		return this.#read("command", json);
	}

	/** Throws RequestError "invalid". */
	query(json: unknown): Uint8Array {
		return this.#read("query", json);
	}

	result(bytes: Uint8Array): unknown {
		return this.#show("result", bytes);
	}

	answer(bytes: Uint8Array): unknown {
		return this.#show("answer", bytes);
	}

	event(bytes: Uint8Array): unknown {
		return this.#show("event", bytes);
	}

	#read(what: "command" | "query", json: unknown): Uint8Array {
		const { json: words } = this.#machine;
		if (words === undefined) return Buffer.from(JSON.stringify(json));
		try {
			return words[what](json);
		} catch (error) {
			// A machine that stumbles over a caller's JSON must not take the node with it.
			throw new RequestError("invalid", reasonOf(error));
		}
	}

	/** What happened has happened: bytes that cannot be translated are shown as they are. */
	#show(what: "result" | "answer" | "event", bytes: Uint8Array): unknown {
		const { json: words } = this.#machine;
		try {
			if (words !== undefined) return words[what](bytes) ?? null;
			return bytes.length === 0 ? null : parseJson(bytes);
		} catch {
			return { base64: Buffer.from(bytes).toString("base64") };
		}
	}
}
