/** What happened, counted. A batch of seeds in which one of these never happened proves less than it claims. */
export function emptyCoverage() {
	return {
		elections: 0,
		rivalLeaders: 0,
		preVotesRefused: 0,
		votesRefused: 0,
		truncations: 0,
		appendsRejected: 0,
		probes: 0,
		windowFullPauses: 0,
		staleTermResponses: 0,
		staleSessionResponses: 0,
		proposalsCommitted: 0,
		proposalsLost: 0,
		proposalsUnknown: 0,
		refusedNotLeader: 0,
		refusedTransferring: 0,
		refusedUncommitted: 0,
		refusedDiskStalled: 0,
		readsConfirmed: 0,
		readsForwarded: 0,
		readsFailed: 0,
		readsRefusedToRivals: 0,
		readsWaitedForApply: 0,
		transfersDone: 0,
		transfersRefused: 0,
		transfersTimedOut: 0,
		transfersAborted: 0,
		checkQuorumStepDowns: 0,
		diskStallStepDowns: 0,
		fetchesServed: 0,
		fetchesPartial: 0,
		fetchesFailed: 0,
		fetchesWrong: 0,
		heldForSync: 0,
		hintOnlyWrites: 0,
		crashes: 0,
		crashesDuringWrite: 0,
		lostSuffixCrashes: 0,
		keptPendingCrashes: 0,
		powerLosses: 0,
		restartsFromMachine: 0,
		pauses: 0,
		diskStalls: 0,
		slowDisks: 0,
		fsyncErrors: 0,
		clockChanges: 0,
		partitions: 0,
		oneWayCuts: 0,
		bridges: 0,
		depositions: 0,
		dropped: 0,
		duplicated: 0,
		reordered: 0,
		unreachableReports: 0,
		majorityHeals: 0,
		fullHeals: 0,
	};
}

export type Coverage = ReturnType<typeof emptyCoverage>;

/** From this many seeds and steps on, everything must have happened at least once. */
export const coverageSeeds = 100;
export const coverageSteps = 1_000_000;

export function addCoverage(total: Coverage, more: Coverage): void {
	for (const name of names(total)) total[name] += more[name];
}

/** The names of what never happened. */
export function missingCoverage(coverage: Coverage): string[] {
	return names(coverage).filter((name) => coverage[name] === 0);
}

function names(coverage: Coverage): (keyof Coverage)[] {
	return Object.keys(coverage) as (keyof Coverage)[];
}
