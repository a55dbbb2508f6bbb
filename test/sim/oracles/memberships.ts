import { membersOf } from "../../../src/raft/configurations.js";
import { isQuorum } from "../../../src/raft/quorum.js";
import {
	type Configuration,
	type Entry,
	EntryKind,
	type PlacedConfiguration,
} from "../../../src/raft/types.js";
import { configurationOf } from "../configuration-of.js";

/** The configurations that are, or may yet come to be, in force anywhere: what a fault must leave able to decide. */
export class Memberships {
	/** The newest that is committed. */
	committed: PlacedConfiguration;
	/** Appended somewhere behind it, in whatever term. */
	#pending: PlacedConfiguration[] = [];

	constructor(founding: Configuration) {
		this.committed = { index: 1, configuration: founding };
	}

	/** An entry that nobody held before was appended. */
	appended(entry: Entry): void {
		if (entry.kind !== EntryKind.configuration) return;
		if (entry.index <= this.committed.index) return;
		const configuration = configurationOf(entry);
		this.#pending.push({ index: entry.index, configuration });
	}

	committedEntry(entry: Entry): void {
		if (entry.kind !== EntryKind.configuration) return;
		const { index } = entry;
		this.committed = { index, configuration: configurationOf(entry) };
		this.#pending = this.#pending.filter((placed) => placed.index > index);
	}

	get possible(): Configuration[] {
		return [this.committed, ...this.#pending].map(
			({ configuration }) => configuration,
		);
	}

	isMember(id: string): boolean {
		return this.possible.some((one) => membersOf(one).includes(id));
	}

	/** Whether every configuration can still decide without the dead. */
	survive(isDead: (id: string) => boolean): boolean {
		return this.possible.every((one) => isQuorum(one, (id) => !isDead(id)));
	}
}
