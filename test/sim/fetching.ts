import type { Raft } from "../../src/raft/raft.js";
import type { Entry, Fetch } from "../../src/raft/types.js";
import type { SimNode } from "./node.js";
import type { Random } from "./random.js";
import type { World } from "./world.js";

/** The log storage answers a fetch: with everything, with a part, with an error, or wrongly. */
export function answerFetch(world: World, node: SimNode, fetch: Fetch): void {
	const { coverage, options, mutant, faulty } = world;
	const { random } = node;
	const raft = node.raft as Raft;
	if (mutant === "lose-fetch" && random.chance(0.1)) return;
	const { fetchWrongChance, fetchFailChance, fetchPartialChance } =
		options.driver;
	const entries = readLog(node, fetch, options.limits.maxMessageBytes);
	if (entries.length === 0 || (faulty && random.chance(fetchFailChance))) {
		coverage.fetchesFailed++;
		raft.fetchFailed(fetch);
	} else if (faulty && random.chance(fetchWrongChance)) {
		coverage.fetchesWrong++;
		raft.fetched(fetch, damage(entries, random));
	} else if (entries.length > 1 && random.chance(fetchPartialChance)) {
		coverage.fetchesPartial++;
		const count = random.whole(1, entries.length - 1);
		raft.fetched(fetch, entries.slice(0, count));
	} else {
		coverage.fetchesServed++;
		raft.fetched(fetch, entries);
	}
}

/** At least one entry, and at most about the bytes of one message, as LogStorage.read gives them. */
function readLog(
	{ log, logBytes, disk }: SimNode,
	{ first, last }: Fetch,
	maxBytes: number,
): Entry[] {
	if (first <= disk.base) return [];
	const endBytes = (logBytes[first - 1] ?? 0) + maxBytes;
	let end = Math.min(first, log.length);
	while (end < last && (logBytes[end + 1] ?? Infinity) <= endBytes) end++;
	return log.slice(first - 1, end);
}

/** What a storage with a defect might answer (P55). */
function damage(entries: readonly Entry[], random: Random): Entry[] {
	const damaged = [...entries];
	const at = random.below(damaged.length);
	const entry = damaged[at] as Entry;
	if (random.chance(0.5)) damaged.splice(at, 1);
	else damaged[at] = { ...entry, term: entry.term + 1 };
	return damaged;
}
