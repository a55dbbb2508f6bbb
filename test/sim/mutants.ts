/**
 * Rules broken on purpose, around the core and not in it: each shows that an oracle bites. A simulator that never
 * fails proves nothing.
 */
export const mutants = {
	"send-before-durable":
		"the driver sends votes and acknowledgements before they are on disk (P1, P2)",
	"complete-before-durable":
		"the driver reports a write as done when it hands it in (P3)",
	"forget-synced-entries":
		"a crash takes entries that were synced, as from a disk that lies (P2)",
	"forget-vote": "a crash takes the vote but leaves the term (P1)",
	"stale-hard-state":
		"a crash brings an older term back with the newer log (P4)",
	"keep-later-write":
		"a crash loses a write but keeps the one that followed it (P4)",
	"ignore-fsync-error":
		"the driver goes on after a failed fsync as if the write were on disk (P11)",
	"apply-before-committed":
		"the driver applies entries as soon as it writes them (P9)",
	"answer-before-applied":
		"the driver answers a read before the machine has come that far (P44)",
	"never-truncate":
		"the disk writes over the old entries but leaves the rest of them (P16)",
	"skip-apply": "the driver leaves an entry out when it applies a range (P60)",
	"read-without-quorum":
		"the driver answers reads at the leader's own commit index (P41)",
	"lose-fetch": "the driver does not answer some of the core's fetches (P55)",
} as const;

export type Mutant = keyof typeof mutants;
