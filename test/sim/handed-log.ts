import { entryBytes } from "../../src/raft/codec.js";
import {
	type Entry,
	EntryKind,
	type PlacedConfiguration,
	type Write,
} from "../../src/raft/types.js";
import { configurationOf } from "./configuration-of.js";

const nobody: PlacedConfiguration = {
	index: 0,
	configuration: { voters: [], outgoing: [], learners: [], addresses: {} },
};

/**
 * A node's log as it was handed to the disk, under way or durable: entry i lies at i - 1. Where a snapshot stands for
 * the beginning, it holds what the snapshot stands for, so that every index has its entry.
 */
export class HandedLog {
	entries: Entry[] = [];
	/** Bytes of entries 1..i, so that sums over ranges are differences. */
	bytes: number[] = [0];
	/** The largest entry that ever was in it. */
	largestBytes = 0;
	/** Every configuration in it, rising by index. */
	#configurations: PlacedConfiguration[] = [];

	/** Begins anew with these. */
	replace(entries: readonly Entry[]): void {
		this.entries = [...entries];
		this.bytes = [0];
		this.#configurations = [];
		this.#measure(0);
	}

	/** `prefix`: what is committed up to an index. */
	take(write: Write, prefix: (index: number) => readonly Entry[]): void {
		if (write.reset !== null) this.replace(prefix(write.reset.index));
		const first = write.entries[0];
		if (first === undefined) return;
		const kept = first.index - 1;
		this.entries.length = kept;
		this.bytes.length = kept + 1;
		while ((this.#configurations.at(-1)?.index ?? 0) > kept)
			this.#configurations.pop();
		for (const entry of write.entries) this.entries.push(entry);
		this.#measure(kept);
	}

	/** The configuration in force after entry `index`. */
	configurationAt(index: number): PlacedConfiguration {
		for (let at = this.#configurations.length - 1; at >= 0; at--) {
			const placed = this.#configurations[at] as PlacedConfiguration;
			if (placed.index <= index) return placed;
		}
		return nobody;
	}

	/** The newest, committed or not: the one in force. */
	get configuration(): PlacedConfiguration {
		return this.#configurations.at(-1) ?? nobody;
	}

	#measure(from: number): void {
		for (let at = from; at < this.entries.length; at++) {
			const entry = this.entries[at] as Entry;
			const bytes = entryBytes(entry);
			this.bytes.push((this.bytes[at] as number) + bytes);
			this.largestBytes = Math.max(this.largestBytes, bytes);
			if (entry.kind !== EntryKind.configuration) continue;
			const configuration = configurationOf(entry);
			this.#configurations.push({ index: entry.index, configuration });
		}
	}
}
