import { describe, expect, it } from "vitest";
import { runBatch } from "./batch.js";
import { type Mutant, mutants } from "./mutants.js";

/** By which rules each may be caught; it is the first one broken that is reported. */
const caughtBy: Record<Mutant, readonly string[]> = {
	"send-before-durable": ["ack-durable", "vote-durable"],
	"complete-before-durable": [
		"durable-votes",
		"commit-durable",
		"durable-index",
	],
	"forget-synced-entries": [
		"leader-completeness",
		"commit-durable",
		"match-durable",
		"log-matching",
		"commit-unknown",
	],
	"forget-vote": ["durable-votes", "one-vote", "election-safety"],
	"stale-hard-state": [
		// A log of later terms than the node's own, which the core refuses to go on with.
		"core-threw",
		"durable-votes",
		"one-vote",
		"election-safety",
		"log-matching",
		"leader-completeness",
	],
	"keep-later-write": ["core-threw", "ordering", "log-matching"],
	"ignore-fsync-error": ["durable-index", "ack-durable", "vote-durable"],
	"apply-before-committed": ["state-machine-safety"],
	"answer-before-applied": ["stale-read"],
	"never-truncate": [
		"core-threw",
		"log-matching",
		"leader-completeness",
		"committed-immutable",
		"log-agrees",
	],
	// The last entry of all, left out, is waited for.
	"skip-apply": ["state-machine-safety", "liveness"],
	"read-without-quorum": ["stale-read", "read-round"],
	"lose-fetch": ["liveness"],
};

/** A guard against a run that never ends; on a busy machine a batch takes its time. */
const timeoutMs = 300_000;

describe("a rule broken on purpose", () => {
	it.each(Object.keys(mutants) as Mutant[])(
		"is noticed: %s",
		(mutant) => {
			const { failed } = runBatch(1, 200, { steps: 10_000, mutant });
			expect(caughtBy[mutant]).toContain(failed?.failure?.invariant);
		},
		timeoutMs,
	);
});
