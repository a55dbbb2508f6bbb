import type { Entry } from "../../../src/raft/types.js";
import { demand } from "../violation.js";

/** Every entry that was ever committed, as the whole cluster's memory: it never forgets and never changes. */
export class Committed {
	/** Entry i lies at i - 1. */
	readonly entries: Entry[] = [];
	/** For each leader's term that committed anything: up to where. Rising in both. */
	readonly #byTerm: { readonly term: number; last: number }[] = [];
	readonly #onEntry: (entry: Entry) => void;

	/** `onEntry` is told of each entry once, in order. */
	constructor(onEntry: (entry: Entry) => void) {
		this.#onEntry = onEntry;
	}

	get last(): number {
		return this.entries.length;
	}

	/** What is committed up to `index`. */
	readonly prefix = (index: number): Entry[] => this.entries.slice(0, index);

	/** A node whose log is `log` and whose term is `term` takes `index` for committed, after `from`. */
	learn(
		log: readonly Entry[],
		from: number,
		index: number,
		term: number,
	): void {
		const before = this.last;
		for (let at = from; at < index; at++) {
			const entry = log[at] as Entry;
			const known = this.entries[at];
			if (known === undefined) {
				this.entries.push(entry);
				this.#onEntry(entry);
			} else {
				demand(
					known.term === entry.term,
					"committed-immutable",
					() =>
						`index ${at + 1} was committed as term ${known.term}, now as term ${entry.term}`,
				);
			}
		}
		if (this.last > before) this.#attribute(term);
	}

	/** Notes that everything up to the last index was committed by term `term` at the latest. */
	#attribute(term: number): void {
		const list = this.#byTerm;
		let at = list.length;
		while (at > 0 && (list[at - 1] as { term: number }).term >= term) at--;
		if (list[at]?.term !== term) list.splice(at, 0, { term, last: 0 });
		for (const known of list.slice(at)) known.last = this.last;
	}

	/** The last index that was committed under a leader of an earlier term than `term`. */
	lastBefore(term: number): number {
		for (let at = this.#byTerm.length - 1; at >= 0; at--) {
			const known = this.#byTerm[at];
			if (known !== undefined && known.term < term) return known.last;
		}
		return 0;
	}
}
