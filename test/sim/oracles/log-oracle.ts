import {
	type Entry,
	EntryKind,
	type PlacedConfiguration,
	type Write,
} from "../../../src/raft/types.js";
import { configurationOf } from "../configuration-of.js";
import type { Coverage } from "../coverage.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";
import type { Committed } from "./committed.js";
import type { ConfigurationRules } from "./configuration-rules.js";
import type { Memberships } from "./memberships.js";

interface Known {
	readonly entry: Entry;
	readonly prevTerm: number;
}

/** The rules of logs: matching, order of writes, and that equal prefixes make equal machines. */
export class LogOracle {
	/** Per index: every entry that was ever written there, one for each term. */
	readonly #known: Known[][] = [];
	/** The machine's hash at each index, by whoever came there first. */
	readonly #hashes: number[] = [];
	readonly #committed: Committed;
	readonly #coverage: Coverage;
	readonly #memberships: Memberships;
	readonly #configurations: ConfigurationRules;

	constructor(options: {
		readonly committed: Committed;
		readonly coverage: Coverage;
		readonly memberships: Memberships;
		readonly configurations: ConfigurationRules;
	}) {
		this.#committed = options.committed;
		this.#coverage = options.coverage;
		this.#memberships = options.memberships;
		this.#configurations = options.configurations;
	}

	/** The machine's hash at `index`, when anybody came there. */
	hashAt(index: number): number | undefined {
		return this.#hashes[index];
	}

	/** A node hands a write to its disk; its log is still as it was before. */
	handedIn(node: SimNode, write: Write, sequence: number): void {
		const { hardState, entries } = write;
		demand(
			write.sequence === sequence,
			"write-sequence",
			() => `${node.id} wrote number ${write.sequence} after ${sequence - 1}`,
		);
		demand(
			write.sync || entries.length === 0,
			"entries-need-sync",
			() => `${node.id} wrote entries without sync`,
		);
		if (!write.sync) this.#coverage.hintOnlyWrites++;
		if (write.reset !== null) this.#reset(node, write.reset);
		const end = write.reset?.index ?? node.log.length;
		const first = entries[0];
		const lastIndex =
			first === undefined ? end : first.index + entries.length - 1;
		if (hardState !== null) {
			demand(
				hardState.commit <= lastIndex,
				"ordering",
				() =>
					`${node.id} wrote commit ${hardState.commit} with last index ${lastIndex}`,
			);
		}
		if (first === undefined) return;
		demand(
			first.index <= end + 1,
			"log-gap",
			() => `${node.id} wrote ${first.index} after ${end}`,
		);
		if (first.index <= end) this.#truncated(node, first.index);
		this.#register(node, write, first);
	}

	/** The log begins anew: behind a snapshot that is on this disk, and of what is committed (P17, P45). */
	#reset(
		node: SimNode,
		{ index, term }: { readonly index: number; readonly term: number },
	): void {
		this.#coverage.logResets++;
		demand(
			index > (node.seen?.commit ?? 0) && node.seen?.role !== "leader",
			"committed-immutable",
			() => `${node.id} empties its log for ${index}, which it has or leads`,
		);
		demand(
			this.#committed.entries[index - 1]?.term === term,
			"snapshot-committed",
			() =>
				`${node.id} begins its log behind ${index} of term ${term}, which is not committed`,
		);
		demand(
			node.log[index - 1]?.term !== term,
			"suffix-kept",
			() => `${node.id} empties its log for ${index}, which it holds`,
		);
		demand(
			node.disk.snapshots.some(({ point }) => point.index === index),
			"snapshot-durable",
			() => `${node.id} empties its log for ${index} without a snapshot of it`,
		);
		this.#rolledBack(node, node.handed.configuration);
	}

	/** A configuration is gone with the entries after a commit: only one that was not committed may be. */
	#rolledBack(node: SimNode, { index }: PlacedConfiguration): void {
		if (index === 0) return;
		const kept = this.#committed.entries[index - 1];
		if (kept?.term !== node.log[index - 1]?.term)
			this.#coverage.configurationsRolledBack++;
	}

	/** Notes new entries, and holds known ones against what they were. */
	#register(node: SimNode, { entries, reset }: Write, first: Entry): void {
		const before = first.index - 1;
		const isBehindReset = reset !== null && reset.index === before;
		let prevTerm = isBehindReset
			? reset.term
			: (node.log[before - 1]?.term ?? 0);
		let placed = isBehindReset
			? this.#memberships.committed
			: node.handed.configurationAt(before);
		for (let at = 0; at < entries.length; at++) {
			const entry = entries[at] as Entry;
			demand(
				entry.index === first.index + at,
				"log-gap",
				() => `${node.id} wrote ${entry.index} at ${first.index + at}`,
			);
			const isNew = this.#matches(node, entry, prevTerm);
			prevTerm = entry.term;
			if (entry.kind !== EntryKind.configuration) continue;
			// The first configuration is the founders' own, and on all of them before they ever met.
			if (isNew && !isBehindReset && entry.index > 1) {
				this.#configurations.appended(node, entry, placed);
				this.#memberships.appended(entry);
			}
			placed = {
				index: entry.index,
				configuration: configurationOf(entry),
			};
		}
	}

	#truncated(node: SimNode, index: number): void {
		this.#coverage.truncations++;
		if (node.handed.configuration.index >= index)
			this.#coverage.configurationsRolledBack++;
		const commit = node.seen?.commit ?? 0;
		demand(
			index > commit,
			"committed-immutable",
			() => `${node.id} cuts its log at ${index}, commit is ${commit}`,
		);
		const now = node.raft?.status();
		demand(
			node.seen?.role !== "leader" ||
				now?.role !== "leader" ||
				node.seen.term !== now.term,
			"leader-append-only",
			() => `leader ${node.id} cuts its log at ${index}`,
		);
	}

	/**
	 * Log matching, by induction: an index and a term name one entry and the term before it. True when nobody held this
	 * one before.
	 */
	#matches(node: SimNode, entry: Entry, prevTerm: number): boolean {
		const at = entry.index - 1;
		const known = this.#known[at];
		if (known === undefined) {
			this.#known[at] = [{ entry, prevTerm }];
			return true;
		}
		for (const other of known) {
			if (other.entry.term !== entry.term) continue;
			demand(
				other.prevTerm === prevTerm && sameEntry(other.entry, entry),
				"log-matching",
				() =>
					`${node.id} holds another entry ${entry.index} of term ${entry.term} than somebody before`,
			);
			return false;
		}
		known.push({ entry, prevTerm });
		return true;
	}

	/** The core gives a range to apply, after everything up to `applyTo`. */
	handedOut(
		node: SimNode,
		range: { readonly first: number; readonly last: number },
		applyTo: number,
	): void {
		const { first, last } = range;
		demand(
			first === applyTo + 1 && last >= first,
			"apply-order",
			() => `${node.id} is to apply ${first}..${last} after ${applyTo}`,
		);
		const entry = node.log[last - 1];
		demand(
			entry !== undefined && node.disk.holds(entry),
			"apply-durable",
			() => `${node.id} is to apply ${last}, which its disk does not hold`,
		);
	}

	/** State machine safety: what is applied is committed, and the machine stands where every other stood there. */
	applied(node: SimNode, entry: Entry): void {
		const { index } = entry;
		const committed = this.#committed.entries[index - 1];
		demand(
			committed !== undefined && committed.term === entry.term,
			"state-machine-safety",
			() =>
				`${node.id} applies ${index} of term ${entry.term}; committed there: ${committed === undefined ? "nothing" : `term ${committed.term}`}`,
		);
		const { hash } = node.machine;
		const known = this.#hashes[index];
		if (known === undefined) this.#hashes[index] = hash;
		else
			demand(
				known === hash,
				"state-machine-safety",
				() => `${node.id} has another state at ${index} than somebody before`,
			);
	}
}

function sameEntry(a: Entry, b: Entry): boolean {
	if (a === b) return true;
	if (
		a.kind !== b.kind ||
		a.level !== b.level ||
		a.data.length !== b.data.length
	)
		return false;
	return a.data === b.data || a.data.every((byte, at) => byte === b.data[at]);
}
