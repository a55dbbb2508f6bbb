import { entryBytes } from "../../../src/raft/codec.js";
import type { Entry, Write } from "../../../src/raft/types.js";
import type { Coverage } from "../coverage.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";
import type { Committed } from "./committed.js";

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

	constructor(committed: Committed, coverage: Coverage) {
		this.#committed = committed;
		this.#coverage = coverage;
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
		const first = entries[0];
		const lastIndex =
			first === undefined ? node.log.length : first.index + entries.length - 1;
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
			first.index <= node.log.length + 1,
			"log-gap",
			() => `${node.id} wrote ${first.index} after ${node.log.length}`,
		);
		if (first.index <= node.log.length) this.#truncated(node, first.index);
		let prevTerm = node.log[first.index - 2]?.term ?? 0;
		for (let at = 0; at < entries.length; at++) {
			const entry = entries[at] as Entry;
			demand(
				entry.index === first.index + at,
				"log-gap",
				() => `${node.id} wrote ${entry.index} at ${first.index + at}`,
			);
			this.#register(node, entry, prevTerm);
			prevTerm = entry.term;
		}
	}

	#truncated(node: SimNode, index: number): void {
		this.#coverage.truncations++;
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

	/** Log matching, by induction: an index and a term name one entry and the term before it. */
	#register(node: SimNode, entry: Entry, prevTerm: number): void {
		const at = entry.index - 1;
		const known = this.#known[at];
		if (known === undefined) {
			this.#known[at] = [{ entry, prevTerm }];
			return;
		}
		for (const other of known) {
			if (other.entry.term !== entry.term) continue;
			demand(
				other.prevTerm === prevTerm && sameEntry(other.entry, entry),
				"log-matching",
				() =>
					`${node.id} holds another entry ${entry.index} of term ${entry.term} than somebody before`,
			);
			return;
		}
		known.push({ entry, prevTerm });
	}

	/** Brings the sums of bytes up to date from entry `from` + 1 on. */
	measure(node: SimNode, from: number): void {
		const { log, logBytes } = node;
		logBytes.length = Math.min(logBytes.length, from + 1);
		if (logBytes.length === 0) logBytes.push(0);
		for (let at = logBytes.length - 1; at < log.length; at++)
			logBytes.push((logBytes[at] as number) + entryBytes(log[at] as Entry));
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
			entry !== undefined && node.disk.entries[last - 1] === entry,
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
