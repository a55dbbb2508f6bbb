import type { ChangeRefusalReason } from "../../src/raft/types.js";

/** What happened, counted. A batch of seeds in which one of these never happened proves less than it claims. */
export function emptyCoverage() {
	return {
		...elections,
		...replication,
		...clients,
		...snapshots,
		...memberships,
		...jointTimes,
		...nonVoters,
		...faults,
	};
}

const elections = {
	elections: 0,
	rivalLeaders: 0,
	preVotesRefused: 0,
	votesRefused: 0,
	transfersDone: 0,
	transfersRefused: 0,
	transfersTimedOut: 0,
	transfersAborted: 0,
	checkQuorumStepDowns: 0,
	diskStallStepDowns: 0,
};

const replication = {
	truncations: 0,
	appendsRejected: 0,
	probes: 0,
	windowFullPauses: 0,
	staleTermResponses: 0,
	staleSessionResponses: 0,
	fetchesServed: 0,
	fetchesPartial: 0,
	fetchesFailed: 0,
	fetchesWrong: 0,
	heldForSync: 0,
	hintOnlyWrites: 0,
};

const clients = {
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
	leasesAnswered: 0,
	leasesRefused: 0,
	leasesLost: 0,
	leasesVoidAfterTransfer: 0,
	sessionCommands: 0,
	sessionsDeduplicated: 0,
	sessionsExpired: 0,
	sessionsMisused: 0,
	levelsRaised: 0,
	raisesRefused: 0,
	entriesOfHigherLevels: 0,
};

const snapshots = {
	snapshotsTaken: 0,
	snapshotsInstalled: 0,
	installsRefused: 0,
	downloadsRepeated: 0,
	installsWithSuffixKept: 0,
	offers: 0,
	offersRepeated: 0,
	downloads: 0,
	downloadsBroken: 0,
	downloadsResumed: 0,
	downloadsOfNewer: 0,
	downloadsOfOlderLeaders: 0,
	logResets: 0,
	logResetsAtStart: 0,
	suffixesKeptAtStart: 0,
	snapshotFallbacks: 0,
	compactions: 0,
	compactionsForced: 0,
	compactionsHeldBack: 0,
};

const memberships = {
	changesDone: 0,
	changesUnknown: 0,
	jointEntered: 0,
	jointLeft: 0,
	jointLeftByAnother: 0,
	configurationsRolledBack: 0,
	leadersRemoved: 0,
	joins: 0,
	joinsAgain: 0,
	lateJoins: 0,
	switchedOff: 0,
	changeRefusedNotLeader: 0,
	changeRefusedTransferring: 0,
	changeRefusedDiskStalled: 0,
	changeRefusedTermNotCommitted: 0,
	changeRefusedInFlight: 0,
	changeRefusedConfigurationChanged: 0,
	changeRefusedNothingToChange: 0,
	changeRefusedUnknownMember: 0,
	changeRefusedDuplicateMember: 0,
	changeRefusedNotALearner: 0,
	changeRefusedNotAVoter: 0,
	changeRefusedNoVoters: 0,
	changeRefusedOtherIncarnation: 0,
	changeRefusedTargetUnreachable: 0,
	changeRefusedTargetLagging: 0,
	changeRefusedQuorumAtRisk: 0,
};

/** While a configuration was joint, by the node's own log. */
const jointTimes = {
	ambushes: 0,
	jointCampaigns: 0,
	/** A majority of one half granted, and not of the other. */
	jointHalvesWon: 0,
	jointElections: 0,
	/** Of a voter that only the old half names, or only the new one. */
	jointElectionsOfOutgoing: 0,
	jointElectionsOfIncoming: 0,
	jointStepDowns: 0,
	jointTransfers: 0,
	jointTransfersDone: 0,
	jointCrashes: 0,
	jointLeaderCrashes: 0,
	jointRestarts: 0,
};

/** Learners, and voters on their way in or out. */
const nonVoters = {
	learnersVoted: 0,
	learnersAskedToCampaign: 0,
	learnersCrashed: 0,
	learnersCampaigned: 0,
	learnersElected: 0,
	lastWords: 0,
	formerVotersCampaigned: 0,
	formerVotersElected: 0,
	readmissions: 0,
};

const faults = {
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
	fullDisks: 0,
	damagedDisks: 0,
	wipes: 0,
	incarnationsRefused: 0,
	wentBackAlarms: 0,
	rolledBackNodes: 0,
	clockChanges: 0,
	partitions: 0,
	oneWayCuts: 0,
	bridges: 0,
	lags: 0,
	lateTransfers: 0,
	depositions: 0,
	dropped: 0,
	duplicated: 0,
	reordered: 0,
	unreachableReports: 0,
	majorityHeals: 0,
	fullHeals: 0,
	repairs: 0,
};

export type Coverage = ReturnType<typeof emptyCoverage>;

/** Which counter counts changes that were refused for this reason. */
export function refusalCounter(reason: ChangeRefusalReason): keyof Coverage {
	return refusalCounters[reason];
}

const refusalCounters: Record<ChangeRefusalReason, keyof Coverage> = {
	"not-leader": "changeRefusedNotLeader",
	transferring: "changeRefusedTransferring",
	"disk-stalled": "changeRefusedDiskStalled",
	"term-not-committed": "changeRefusedTermNotCommitted",
	"change-in-flight": "changeRefusedInFlight",
	"configuration-changed": "changeRefusedConfigurationChanged",
	"nothing-to-change": "changeRefusedNothingToChange",
	"unknown-member": "changeRefusedUnknownMember",
	"duplicate-member": "changeRefusedDuplicateMember",
	"not-a-learner": "changeRefusedNotALearner",
	"not-a-voter": "changeRefusedNotAVoter",
	"no-voters": "changeRefusedNoVoters",
	"other-incarnation": "changeRefusedOtherIncarnation",
	"target-unreachable": "changeRefusedTargetUnreachable",
	"target-lagging": "changeRefusedTargetLagging",
	"quorum-at-risk": "changeRefusedQuorumAtRisk",
};

/** From this many seeds and steps on, everything must have happened at least once. */
export const coverageSeeds = 300;
export const coverageSteps = 4_000_000;

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
