import type { CoreMutant } from "./patch.js";

const core = "src/raft/core.ts";
const follower = "src/raft/follower.ts";
const heartbeats = "src/raft/heartbeats.ts";
const lease = "src/raft/lease.ts";

/** Bugs in read rounds and leases. */
export const reads: readonly CoreMutant[] = [
	{
		name: "read-before-own-commit",
		pitfall: "P40",
		breaks: "a leader confirms reads before anything of its term is committed",
		edits: [
			{
				file: "src/raft/read-index.ts",
				text: "core.rounds.canStart &&\n		core.log.commit >= core.termStart",
				replacement: "core.rounds.canStart",
			},
		],
	},
	{
		name: "lease-before-own-commit",
		pitfall: "P40",
		breaks: "a lease holds before anything of the leader's term is committed",
		edits: [
			{
				file: lease,
				text: `if (core.role !== "leader" || core.log.commit < core.termStart) return never;`,
				replacement: `if (core.role !== "leader") return never;`,
			},
		],
	},
	{
		name: "any-answer-confirms",
		pitfall: "P41",
		breaks: "any answer to a heartbeat confirms the newest read round",
		edits: [
			{
				file: heartbeats,
				text: "progress.readConfirmed = Math.max(progress.readConfirmed, message.read);",
				replacement: "progress.readConfirmed = core.rounds.sequence;",
			},
		],
	},
	{
		name: "reads-counted-from-zero",
		pitfall: "P41",
		breaks:
			"forwarded reads are counted from zero, so that answers from before a restart fit",
		edits: [
			{
				file: "src/raft/reads.ts",
				text: "this.#sequence = startOfCount(random);",
				replacement: "this.#sequence = random() * 0;",
			},
		],
	},
	{
		name: "current-without-quorum",
		pitfall: "P41",
		breaks:
			"a leader tells what is committed as of now, though nobody has confirmed that it still leads",
		edits: [
			{
				file: heartbeats,
				text: "const currentStamp = wholeStamp(confirmedMs(core, core.nowMs));",
				replacement: "const currentStamp = wholeStamp(core.nowMs);",
			},
		],
	},
	{
		name: "current-as-matched",
		pitfall: "P41",
		breaks:
			"what a follower is told of the cluster's commit ends where its own log does",
		edits: [
			{
				file: heartbeats,
				text: "currentCommit: currentStamp > 0 ? core.log.commit : 0,",
				replacement: "currentCommit: currentStamp > 0 ? commit : 0,",
			},
		],
	},
	{
		name: "reads-outlive-leadership",
		pitfall: "P42",
		breaks: "a leader that steps down forgets the reads that wait",
		edits: [
			{
				file: follower,
				text: "core.rounds.failAll((reader) => {",
				replacement: "core.rounds.expire(core.nowMs, (reader) => {",
			},
		],
	},
	{
		name: "lease-from-answer",
		pitfall: "P43",
		breaks: "a lease counts from when a heartbeat's answer came in",
		edits: [
			{
				file: heartbeats,
				text: "progress.answeredStamp = Math.max(progress.answeredStamp, message.stamp);",
				replacement: "progress.answeredStamp = core.nowMs;",
			},
		],
	},
	{
		name: "lease-without-drift",
		pitfall: "P43",
		breaks: "a lease lasts as long as if clocks did not drift apart",
		edits: [
			{
				file: lease,
				text: "electionTimeoutMs * (1 - maxClockDrift)",
				replacement: "electionTimeoutMs + maxClockDrift * 0",
			},
		],
	},
	{
		name: "lease-survives-transfer",
		pitfall: "P43",
		breaks: "a lease holds again after another was asked to campaign",
		edits: [
			{
				file: "src/raft/transfer.ts",
				text: "core.leaseVoid = true;",
				replacement: "",
			},
		],
	},
	{
		name: "stickiness-by-name",
		pitfall: "P43",
		breaks: "a voter that forgets its leader's name forgets that it heard it",
		edits: [
			{
				file: core,
				text: "this.nowMs - this.leaderHeardMs < this.options.electionTimeoutMs",
				replacement:
					"(this.leader !== null && this.nowMs - this.leaderHeardMs < this.options.electionTimeoutMs)",
			},
		],
	},
	{
		name: "stickiness-from-tick",
		pitfall: "P43",
		breaks: "a voter's silence counts from its last tick, not from the message",
		edits: [
			{
				file: core,
				text: "this.leaderHeardMs = this.#newestMs;",
				replacement: "this.leaderHeardMs = this.nowMs;",
			},
		],
	},
	{
		name: "no-quiet-time",
		pitfall: "P43",
		breaks: "a restarted voter owes the leader that it answered no silence",
		edits: [
			{
				file: core,
				text: "this.quietUntilMs = isFresh ? nowMs : nowMs + options.electionTimeoutMs;",
				replacement: "this.quietUntilMs = isFresh ? nowMs : nowMs;",
			},
		],
	},
];
