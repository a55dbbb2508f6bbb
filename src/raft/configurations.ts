import { decodeConfiguration } from "./codec.js";
import {
	type Configuration,
	type Entry,
	EntryKind,
	type NodeId,
	type Restored,
} from "./types.js";

interface Placed {
	readonly index: number;
	readonly configuration: Configuration;
}

/**
 * The configurations in the log. The latest is in force whether committed or not, and a truncation takes it back
 * (paper, section 6; P21, P22).
 */
export class Configurations {
	readonly #placed: Placed[];

	constructor(restored: Restored["configurations"]) {
		this.#placed =
			restored.length > 0
				? [...restored]
				: [{ index: 0, configuration: nobody }];
	}

	get latest(): Configuration {
		return this.#last().configuration;
	}

	get latestIndex(): number {
		return this.#last().index;
	}

	/** Takes note of an appended entry; true when the configuration changed. */
	append(entry: Entry): boolean {
		if (entry.kind !== EntryKind.configuration) return false;
		this.#placed.push({
			index: entry.index,
			configuration: decodeConfiguration(entry.data),
		});
		return true;
	}

	/** Entries from `index` on are gone; true when the configuration changed. */
	truncate(index: number): boolean {
		const before = this.#placed.length;
		while (this.#placed.length > 1 && this.#last().index >= index)
			this.#placed.pop();
		return this.#placed.length !== before;
	}

	#last(): Placed {
		return this.#placed[this.#placed.length - 1] as Placed;
	}
}

const nobody: Configuration = {
	voters: [],
	outgoing: [],
	learners: [],
	addresses: {},
};

/** Everybody who gets the log, each once, in a fixed order. */
export function membersOf(configuration: Configuration): NodeId[] {
	return [
		...new Set([
			...configuration.voters,
			...configuration.outgoing,
			...configuration.learners,
		]),
	];
}

export function isVoter(configuration: Configuration, id: NodeId): boolean {
	return (
		configuration.voters.includes(id) || configuration.outgoing.includes(id)
	);
}
