import { decodeConfiguration } from "../../src/raft/codec.js";
import type { Configuration, Entry } from "../../src/raft/types.js";

/** Entries are shared between nodes, and so is what was read from them. */
const known = new WeakMap<Entry, Configuration>();

/** The configuration that an entry of that kind holds. */
export function configurationOf(entry: Entry): Configuration {
	const before = known.get(entry);
	if (before !== undefined) return before;
	const configuration = decodeConfiguration(entry.data);
	known.set(entry, configuration);
	return configuration;
}
