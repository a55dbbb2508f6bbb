import { encodeConfiguration } from "./codec.js";
import {
	type Configuration,
	type Entry,
	EntryKind,
	type HardState,
} from "./types.js";

/** The level of the entry format that this release founds clusters with. */
export const foundingLevel = 1;

/**
 * The log of a founding node: the first configuration at index 1. It is the same on every founder, so it counts as
 * committed before any of them has met another.
 */
export function bootstrapEntries(configuration: Configuration): Entry[] {
	return [
		{
			index: 1,
			term: 1,
			kind: EntryKind.configuration,
			level: foundingLevel,
			data: encodeConfiguration(configuration),
		},
	];
}

/** The hard state that belongs to `bootstrapEntries`. */
export const bootstrapHardState: HardState = {
	term: 1,
	votedFor: null,
	commit: 1,
};
