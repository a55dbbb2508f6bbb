import { decodeConfiguration } from "./codec.js";
import {
	type Configuration,
	type Entry,
	EntryKind,
	type NodeId,
	type PlacedConfiguration,
	type Restored,
} from "./types.js";

/**
 * The configurations in the log. The latest is in force whether committed or not, and a truncation takes it back
 * (paper, section 6; P21, P22).
 */
export class Configurations {
	/** Rising by index. The first may lie before the log: a snapshot holds it. */
	#placed: PlacedConfiguration[];

	constructor({ configurations, snapshot }: Restored) {
		const first = snapshot?.configuration ?? {
			index: 0,
			configuration: nobody,
		};
		this.#placed = [
			first,
			...configurations.filter(({ index }) => index > first.index),
		];
	}

	get latest(): Configuration {
		return this.#last().configuration;
	}

	get latestIndex(): number {
		return this.#last().index;
	}

	/** The one in force after the entry at `index`. */
	at(index: number): PlacedConfiguration {
		return (
			this.#placed.findLast((placed) => placed.index <= index) ??
			(this.#placed[0] as PlacedConfiguration)
		);
	}

	/** Those that may be in force somewhere: the one committed by `commit`, and all after it. */
	since(commit: number): readonly PlacedConfiguration[] {
		const { index } = this.at(commit);
		return this.#placed.filter((placed) => placed.index >= index);
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

	/** The entries up to `index` are gone, and so are the configurations that they had replaced. */
	compact(index: number): void {
		const inForce = this.at(index);
		this.#placed = this.#placed.filter(
			(placed) => placed.index >= inForce.index,
		);
	}

	/** The log begins anew behind a snapshot. */
	reset(configuration: PlacedConfiguration): void {
		this.#placed = [configuration];
	}

	#last(): PlacedConfiguration {
		return this.#placed[this.#placed.length - 1] as PlacedConfiguration;
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

/** While it is joint, decisions need both the old and the new voters. */
export function isJoint(configuration: Configuration): boolean {
	return configuration.outgoing.length > 0;
}
