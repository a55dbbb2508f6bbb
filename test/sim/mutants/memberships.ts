import type { CoreMutant } from "./patch.js";

const candidate = "src/raft/candidate.ts";
const core = "src/raft/core.ts";
const follower = "src/raft/follower.ts";
const membership = "src/raft/membership.ts";
const quorum = "src/raft/quorum.ts";

/** Bugs in who takes part, and who decides. */
export const memberships: readonly CoreMutant[] = [
	{
		name: "change-before-own-commit",
		pitfall: "P20",
		breaks: "a change begins before anything of the leader's term is committed",
		edits: [
			{
				file: membership,
				text: `if (core.log.commit < core.termStart) return no("term-not-committed");`,
				replacement: "",
			},
		],
	},
	{
		name: "two-changes-at-once",
		pitfall: "P20",
		breaks: "a change begins while another is not committed",
		edits: [
			{
				file: membership,
				text: "if (latestIndex > core.log.commit || isJoint(core.configuration))",
				replacement: "if (isJoint(core.configuration))",
			},
		],
	},
	{
		name: "configuration-at-commit",
		pitfall: "P21",
		breaks: "a configuration is in force only once it is committed",
		edits: [
			{
				file: core,
				text: "return this.configurations.latest;",
				replacement:
					"return this.configurations.at(this.log.commit).configuration;",
			},
		],
	},
	{
		name: "configuration-not-rolled-back",
		pitfall: "P22",
		breaks: "a configuration stays in force when its entry is cut off",
		edits: [
			{
				file: follower,
				text: "if (configurations.truncate(entry.index)) core.changed = true;",
				replacement: "",
			},
		],
	},
	{
		name: "joint-commit-by-new-voters",
		pitfall: "P23",
		breaks: "in a joint configuration the new voters alone commit",
		edits: [
			{
				file: quorum,
				text: "return Math.min(\n		majorityIndex(configuration.voters, matchOf),\n		majorityIndex(configuration.outgoing, matchOf),\n	);",
				replacement: "return majorityIndex(configuration.voters, matchOf);",
			},
		],
	},
	{
		name: "joint-election-by-new-voters",
		pitfall: "P23",
		breaks: "in a joint configuration the new voters alone elect",
		edits: [
			{
				file: quorum,
				text: "isMajority(configuration.voters, holds) &&\n		isMajority(configuration.outgoing, holds)",
				replacement: "isMajority(configuration.voters, holds)",
			},
		],
	},
	{
		name: "joint-campaign-by-new-voters",
		pitfall: "P23",
		breaks: "a candidate in a joint configuration counts the new voters alone",
		edits: [
			{
				file: candidate,
				text: "voteResult(core.configuration, (id) =>",
				replacement:
					"voteResult({ ...core.configuration, outgoing: [] }, (id) =>",
			},
		],
	},
	{
		name: "joint-campaign-by-old-voters",
		pitfall: "P23",
		breaks: "a candidate in a joint configuration counts the old voters alone",
		edits: [
			{
				file: candidate,
				text: "voteResult(core.configuration, (id) =>",
				replacement:
					"voteResult({ ...core.configuration, voters: core.configuration.outgoing.length > 0 ? core.configuration.outgoing : core.configuration.voters }, (id) =>",
			},
		],
	},
	{
		name: "joint-campaign-asks-new-voters",
		pitfall: "P23",
		breaks:
			"a candidate in a joint configuration does not ask those who are on their way out",
		edits: [
			{
				file: candidate,
				text: "new Set([...voters, ...outgoing])",
				replacement: "new Set([...voters, ...outgoing.slice(0, 0)])",
			},
		],
	},
	{
		name: "former-voter-stays-silent",
		pitfall: "P23",
		breaks:
			"a voter whose removal is not committed does not campaign, although it alone may hold that",
		edits: [
			{
				file: "src/raft/raft.ts",
				text: "return this.#isFit() && this.#core.isOrWasVoter;",
				replacement: "return this.#isFit() && this.#core.isVoter;",
			},
		],
	},
	{
		name: "joint-lease-by-new-voters",
		pitfall: "P43",
		breaks:
			"in a joint configuration a lease counts the answers of the new voters alone",
		edits: [
			{
				file: "src/raft/lease.ts",
				text: "quorumIndex(core.configuration, (id) => {",
				replacement:
					"quorumIndex({ ...core.configuration, outgoing: [] }, (id) => {",
			},
		],
	},
	{
		name: "joint-left-uncommitted",
		pitfall: "P23",
		breaks: "a joint configuration is left before it is committed",
		edits: [
			{
				file: membership,
				text: "if (latestIndex > core.log.commit || core.log.commit < core.termStart) return;",
				replacement: "if (core.log.commit < core.termStart) return;",
			},
		],
	},
	{
		name: "joint-never-left-by-another",
		pitfall: "P23",
		breaks:
			"only the leader that began a change leaves its joint configuration",
		edits: [
			{
				file: membership,
				text: "if (isJoint(core.configuration)) {",
				replacement:
					"if (isJoint(core.configuration) && core.change !== null) {",
			},
		],
	},
	{
		name: "removed-leader-stays",
		pitfall: "P25",
		breaks: "a leader that is no longer a member leads on",
		edits: [
			{
				file: membership,
				text: "if (!core.isVoter) stepDownAsNoVoter(core);",
				replacement: "",
			},
		],
	},
	{
		name: "learner-counted",
		pitfall: "P26",
		breaks: "learners count when a majority is sought",
		edits: [
			{
				file: quorum,
				text: "majorityIndex(configuration.voters, matchOf),",
				replacement:
					"majorityIndex([...configuration.voters, ...configuration.learners], matchOf),",
			},
		],
	},
	{
		name: "promoted-lagging",
		pitfall: "P26",
		breaks: "a learner is promoted before it has caught up",
		edits: [
			{
				file: membership,
				text: "if (catchUp?.caughtUp !== true)",
				replacement: "if (catchUp === null)",
			},
		],
	},
	{
		name: "change-without-quorum",
		pitfall: "P28",
		breaks: "a change is made although its voters are not connected",
		edits: [
			{
				file: membership,
				text: "return connected < majority(target.voters.length)",
				replacement: "return connected < 1",
			},
		],
	},
	{
		name: "readmitted-still-leaving",
		pitfall: "P52",
		breaks: "a member that comes back is still taken for one that leaves",
		edits: [
			{
				file: membership,
				text: "if (progress === undefined || progress.leavingUntilMs !== null)",
				replacement: "if (progress === undefined)",
			},
		],
	},
];
