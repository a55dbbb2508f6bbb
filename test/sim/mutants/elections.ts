import type { CoreMutant } from "./patch.js";

const candidate = "src/raft/candidate.ts";
const core = "src/raft/core.ts";
const follower = "src/raft/follower.ts";
const raft = "src/raft/raft.ts";
const transfer = "src/raft/transfer.ts";

/** Bugs in votes, terms, leadership and its transfer. */
export const elections: readonly CoreMutant[] = [
	{
		name: "vote-before-durable",
		pitfall: "P1",
		breaks: "a vote is answered before term and vote are on disk",
		edits: [
			{
				file: core,
				text: `message.type === "vote-response" ||`,
				replacement: "",
			},
			{
				file: core,
				text: "if (promises || !this.hardStateDurable)",
				replacement: "if (promises)",
			},
		],
	},
	{
		name: "own-vote-before-durable",
		pitfall: "P1",
		breaks: "a candidate counts its own vote before that is on disk",
		edits: [
			{
				file: candidate,
				text: "core.setTerm(core.term + 1, core.id);",
				replacement:
					"core.setTerm(core.term + 1, core.id); core.votes.set(core.id, true);",
			},
		],
	},
	{
		name: "shorter-log-elected",
		pitfall: "paper 5.4.1",
		breaks: "of two logs that end in one term the shorter counts as up to date",
		edits: [
			{
				file: "src/raft/log.ts",
				text: "(term === this.lastTerm && index >= this.lastIndex)",
				replacement: "term === this.lastTerm",
			},
		],
	},
	{
		name: "learner-does-not-vote",
		pitfall: "P27",
		breaks: "who takes itself for a learner refuses its vote",
		edits: [
			{
				file: follower,
				text: "const granted = message.pre",
				replacement: "const granted = !core.isVoter ? false : message.pre",
			},
		],
	},
	{
		name: "learner-does-not-stand-in",
		pitfall: "P27",
		breaks:
			"a learner that alone holds the newest entries waits for others to be elected",
		edits: [{ file: raft, text: "this.#standIn(message);", replacement: "" }],
	},
	{
		name: "pre-candidate-raises-term",
		pitfall: "P34",
		breaks: "a node raises its term before it knows that it could win",
		edits: [
			{
				file: candidate,
				text: `core.role = "pre-candidate";`,
				replacement: `core.role = "pre-candidate"; core.setTerm(core.term + 1, null);`,
			},
		],
	},
	{
		name: "pre-vote-raises-term",
		pitfall: "P34",
		breaks: "a voter takes the term of whoever asks for a pre-vote",
		edits: [
			{
				file: raft,
				text: "		handleVoteRequest(core, message);",
				replacement:
					"		if (message.term > core.term) becomeFollower(core, message.term, null); handleVoteRequest(core, message);",
			},
		],
	},
	{
		name: "pre-vote-kept-as-vote",
		pitfall: "P34",
		breaks: "a voter writes a pre-vote down as its vote",
		edits: [
			{
				file: follower,
				text: "if (granted && !message.pre) {",
				replacement: "if (granted) {",
			},
		],
	},
	{
		name: "answer-to-earlier-campaign",
		pitfall: "P34",
		breaks: "votes count whichever campaign asked for them",
		edits: [
			{
				file: candidate,
				text: "if (!campaigning || message.attempt !== core.attempt) return;",
				replacement: "if (!campaigning) return;",
			},
		],
	},
	{
		name: "attempts-from-zero",
		pitfall: "P34",
		breaks:
			"campaigns are counted from zero, so that answers from before a restart fit",
		edits: [
			{
				file: core,
				text: "this.attempt = startOfCount(options.random);",
				replacement: "this.attempt = 0;",
			},
		],
	},
	{
		name: "no-stickiness",
		pitfall: "P35",
		breaks: "a candidate deposes a leader that is heard",
		edits: [
			{
				file: raft,
				text: "if (core.hearsLeader && !message.transfer) return;",
				replacement: "",
			},
		],
	},
	{
		name: "pre-vote-while-leader-heard",
		pitfall: "P35",
		breaks: "a voter grants pre-votes although it hears its leader",
		edits: [
			{
				file: follower,
				text: "eligible && !core.hearsLeader",
				replacement: "eligible",
			},
		],
	},
	{
		name: "no-check-quorum",
		pitfall: "P35",
		breaks: "a leader that hears no quorum leads on",
		edits: [
			{
				file: raft,
				text: "if (!hearsQuorum(core)) becomeFollower(core, core.term, null);\n		else if",
				replacement: "if",
			},
		],
	},
	{
		name: "stalled-disk-leads-on",
		pitfall: "P36",
		breaks: "a leader whose disk does not answer leads on",
		edits: [
			{
				file: raft,
				text: "else if (!core.late && core.diskPendingMs > core.options.diskStallMs)\n			yieldLeadership(core);",
				replacement: "",
			},
		],
	},
	{
		name: "transfer-without-deadline",
		pitfall: "P37",
		breaks: "a transfer that nobody answers never ends",
		edits: [{ file: raft, text: "this.#expireTransfer();", replacement: "" }],
	},
	{
		name: "transfer-to-lagging",
		pitfall: "P37",
		breaks: "a successor is asked to campaign before it holds the whole log",
		edits: [
			{
				file: transfer,
				text: "if (core.followers.get(transfer.target)?.match !== core.log.lastIndex) return;",
				replacement: "",
			},
		],
	},
	{
		name: "timeout-now-to-anybody",
		pitfall: "P38",
		breaks: "whoever is asked to campaign out of turn does, learners too",
		edits: [
			{
				file: raft,
				text: `if (this.#mayLead()) campaign(core, "transfer");`,
				replacement: `campaign(core, "transfer");`,
			},
		],
	},
	{
		name: "learner-campaigns",
		pitfall: "P38",
		breaks: "a node that is no voter campaigns when it hears no leader",
		edits: [
			{
				file: raft,
				text: "return this.#isFit() && this.#core.isOrWasVoter;",
				replacement: "return this.#isFit();",
			},
		],
	},
	{
		name: "campaigns-half-restored",
		pitfall: "P39",
		breaks: "a node campaigns while its machine is brought to a snapshot",
		edits: [
			{
				file: raft,
				text: "return log.applied >= log.firstIndex - 1;",
				replacement: "return log !== null;",
			},
		],
	},
	{
		name: "distrusted-leads",
		pitfall: "P31",
		breaks: "a node whose own log went back campaigns all the same",
		edits: [
			{
				file: raft,
				text: "if (renounced || distrusted.has(id)) return false;",
				replacement:
					"if (renounced || (distrusted.has(id) && id === null)) return false;",
			},
		],
	},
];
