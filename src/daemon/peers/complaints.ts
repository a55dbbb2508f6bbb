export type Diagnose = (
	level: "info" | "warn" | "error",
	message: string,
	fields?: object,
) => void;

/** Sources remembered at most; beyond, new ones are counted only. */
const maxSources = 256;

/**
 * Says what is wrong with the links once for each source and cause, not at every retry; again only after it had been
 * well in between.
 */
export class Complaints {
	readonly #diagnose: Diagnose;
	readonly #said = new Map<string, string>();

	constructor(diagnose: Diagnose) {
		this.#diagnose = diagnose;
	}

	/** `cause` is compared, `message` is said. */
	say(complaint: {
		readonly source: string;
		readonly cause: string;
		readonly message: string;
		readonly level?: "info" | "warn" | "error";
		readonly fields?: object;
	}): void {
		const { source, cause, message, level = "warn", fields } = complaint;
		if (this.#said.get(source) === cause) return;
		if (this.#said.size >= maxSources && !this.#said.has(source)) return;
		this.#said.set(source, cause);
		this.#diagnose(level, message, fields);
	}

	/** `source` is well again; true when there had been a complaint. */
	settled(source: string): boolean {
		return this.#said.delete(source);
	}
}
