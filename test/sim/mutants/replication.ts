import type { CoreMutant } from "./patch.js";

const core = "src/raft/core.ts";
const follower = "src/raft/follower.ts";
const heartbeats = "src/raft/heartbeats.ts";
const log = "src/raft/log.ts";
const progress = "src/raft/progress.ts";
const replicating = "src/raft/replication.ts";

/** Bugs in what is stored, acknowledged, counted and committed. */
export const replication: readonly CoreMutant[] = [
	{
		name: "ack-before-durable",
		pitfall: "P2",
		breaks: "a follower acknowledges entries before they are on disk",
		edits: [
			{
				file: core,
				text: `message.type === "append-response" ||`,
				replacement: "",
			},
		],
	},
	{
		name: "leader-counts-itself-early",
		pitfall: "P3",
		breaks: "a leader counts itself before its own disk has the entry",
		edits: [
			{
				file: replicating,
				text: "if (id === core.id) return log.durable;",
				replacement: "if (id === core.id) return log.lastIndex;",
			},
		],
	},
	{
		name: "stale-completion",
		pitfall: "P5",
		breaks: "a write of entries that were cut off makes later ones durable",
		edits: [
			{
				file: log,
				text: "for (const write of this.#writes)\n			write.lastIndex = Math.min(write.lastIndex, index - 1);",
				replacement: "",
			},
		],
	},
	{
		name: "written-before-reset",
		pitfall: "P6",
		breaks:
			"a log that a snapshot replaced goes on from what was written before",
		edits: [
			{
				file: log,
				text: "		this.submitted = index;\n		this.durable = index;\n		this.applying = index;",
				replacement: "		this.durable = index;\n		this.applying = index;",
			},
		],
	},
	{
		name: "commits-old-term",
		pitfall: "P7",
		breaks: "an entry of an older term is committed by counting",
		edits: [
			{
				file: replicating,
				text: "index <= log.lastIndex &&\n		log.termAt(index) === core.term",
				replacement: "index <= log.lastIndex",
			},
		],
	},
	{
		name: "heartbeat-commits-unmatched",
		pitfall: "P8",
		breaks: "a heartbeat tells of a commit beyond what the follower matches",
		edits: [
			{
				file: heartbeats,
				text: "const commit = Math.min(core.log.commit, progress.match);",
				replacement: "const commit = core.log.commit;",
			},
		],
	},
	{
		name: "append-commits-unchecked",
		pitfall: "P8",
		breaks: "an append commits entries behind those that it has compared",
		edits: [
			{
				file: follower,
				text: "Math.min(message.commit, matched)",
				replacement: "Math.min(message.commit, log.lastIndex)",
			},
		],
	},
	{
		name: "applies-ahead-of-disk",
		pitfall: "P9",
		breaks: "what is committed is applied before it is durable on the node",
		edits: [
			{
				file: "src/raft/raft.ts",
				text: "return Math.min(this.#core.log.commit, this.#core.log.durable);",
				replacement: "return this.#core.log.commit;",
			},
		],
	},
	{
		name: "next-below-match",
		pitfall: "P50",
		breaks:
			"a late answer leaves what is sent next behind what it acknowledges",
		edits: [
			{
				file: progress,
				text: "this.next = Math.max(this.next, this.match + 1);",
				replacement: "",
			},
		],
	},
	{
		name: "inflight-bytes-leak",
		pitfall: "P50",
		breaks: "acknowledged bytes stay counted as in flight",
		edits: [
			{
				file: progress,
				text: "this.#bytes -= this.#sizes[freed] as number;",
				replacement: "",
			},
		],
	},
	{
		name: "no-inquiry",
		pitfall: "P50",
		breaks: "a full window whose answers were lost is never asked about",
		edits: [
			{
				file: heartbeats,
				text: `if (progress.state === "replicate") inquire(core, progress);`,
				replacement: "",
			},
		],
	},
	{
		name: "cuts-without-conflict",
		pitfall: "P51",
		breaks: "an append cuts off what follows it, although nothing contradicts",
		edits: [
			{
				file: follower,
				text: "if (log.termAt(entry.index) === entry.term) continue;",
				replacement: "",
			},
		],
	},
	{
		name: "answer-of-earlier-session",
		pitfall: "P52",
		breaks: "answers of an earlier replication session count",
		edits: [
			{
				file: replicating,
				text: "progress.session !== message.session ||\n		message.match > core.log.lastIndex",
				replacement: "message.match > core.log.lastIndex",
			},
		],
	},
	{
		name: "sends-what-was-read",
		pitfall: "P55",
		breaks: "entries read from the disk are sent without a look at them",
		edits: [
			{
				file: replicating,
				text: "if (entries.length === 0 || !fits) {",
				replacement: "if (entries.length === 0) {",
			},
		],
	},
	{
		name: "uncommitted-bytes-leak",
		pitfall: "P56",
		breaks: "the bytes of entries that were cut off stay counted",
		edits: [
			{
				file: log,
				text: "this.#windowBytes -= bytes;\n			this.#uncommittedBytes -= bytes;",
				replacement: "this.#windowBytes -= bytes;",
			},
		],
	},
	{
		name: "uncommitted-limit-late",
		pitfall: "P56",
		breaks: "the limit on uncommitted bytes leaves the new ones out",
		edits: [
			{
				file: "src/raft/leader.ts",
				text: "uncommittedBytes + bytes > core.options.maxUncommittedBytes",
				replacement: "uncommittedBytes > core.options.maxUncommittedBytes",
			},
		],
	},
	{
		name: "went-back-unnoticed",
		pitfall: "P31",
		breaks: "a follower that refuses what it acknowledged raises no alarm",
		edits: [
			{
				file: replicating,
				text: "if (message.hintIndex < progress.match) {",
				replacement: "if (progress.wentBack) {",
			},
		],
	},
	{
		name: "went-back-counted",
		pitfall: "P31",
		breaks: "a follower whose log went back is still counted",
		edits: [
			{
				file: core,
				text: "!this.distrusted.has(id) && this.followers.get(id)?.wentBack !== true",
				replacement: "this.id !== undefined || id !== undefined",
			},
		],
	},
];
