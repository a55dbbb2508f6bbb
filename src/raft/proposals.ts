import type { ProposalOutcome } from "./types.js";

interface Batch {
	token: number;
	count: number;
	index: number;
	readonly term: number;
	readonly deadlineMs: number;
}

/**
 * The proposals whose fate is open. Truncation does not settle one: the entry may live on elsewhere and be committed
 * by a later leader. Only a commit at its index does (P59): of this entry, or of another in its place.
 */
export class Proposals {
	/** Rising by index. */
	#batches: Batch[] = [];

	add(batch: Batch): void {
		let at = this.#batches.length;
		while (at > 0 && (this.#batches[at - 1] as Batch).index > batch.index) at--;
		this.#batches.splice(at, 0, batch);
	}

	/** Everything up to `commit` is committed, with the terms that `termAt` tells. */
	settle(
		commit: number,
		termAt: (index: number) => number | null,
		outcomes: ProposalOutcome[],
	): void {
		let kept = 0;
		for (let at = 0; at < this.#batches.length; at++) {
			const batch = this.#batches[at] as Batch;
			if (batch.index > commit) {
				if (kept === at) return;
				this.#batches[kept++] = batch;
				continue;
			}
			settleBatch(batch, commit, termAt, outcomes);
			if (batch.count > 0) this.#batches[kept++] = batch;
		}
		this.#batches.length = kept;
		this.#batches.sort((a, b) => a.index - b.index);
	}

	expire(nowMs: number, outcomes: ProposalOutcome[]): void {
		if (!this.#batches.some((batch) => batch.deadlineMs <= nowMs)) return;
		for (const { token, count, index, deadlineMs } of this.#batches) {
			if (deadlineMs <= nowMs)
				outcomes.push({ token, count, index, outcome: "unknown" });
		}
		this.#batches = this.#batches.filter((batch) => batch.deadlineMs > nowMs);
	}
}

/** Takes the settled front off `batch`, as runs of one outcome each. */
function settleBatch(
	batch: Batch,
	commit: number,
	termAt: (index: number) => number | null,
	outcomes: ProposalOutcome[],
): void {
	while (batch.count > 0 && batch.index <= commit) {
		const outcome = fateOf(termAt(batch.index), batch.term);
		let count = 1;
		while (
			count < batch.count &&
			batch.index + count <= commit &&
			fateOf(termAt(batch.index + count), batch.term) === outcome
		) {
			count++;
		}
		outcomes.push({
			token: batch.token,
			count,
			index: batch.index,
			outcome,
		});
		batch.token += count;
		batch.index += count;
		batch.count -= count;
	}
}

/** Where a snapshot replaced the log, nobody here knows any more what lay at an index. */
function fateOf(
	term: number | null,
	proposedIn: number,
): ProposalOutcome["outcome"] {
	if (term === null) return "unknown";
	return term === proposedIn ? "committed" : "lost";
}
