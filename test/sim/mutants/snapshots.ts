import type { CoreMutant } from "./patch.js";

const follower = "src/raft/follower.ts";
const heartbeats = "src/raft/heartbeats.ts";
const log = "src/raft/log.ts";
const raft = "src/raft/raft.ts";
const sameTerm = "if (log.termAt(index) === term) {";

/** Bugs in snapshots, and in logs that no longer reach back to the beginning. */
export const snapshots: readonly CoreMutant[] = [
	{
		name: "install-forgets-configuration",
		pitfall: "P22",
		breaks: "the configuration of a snapshot that was installed is forgotten",
		edits: [
			{
				file: follower,
				text: "core.configurations.reset(snapshot.configuration);",
				replacement: "",
			},
		],
	},
	{
		name: "restart-forgets-configuration",
		pitfall: "P22",
		breaks: "a restart looks for configurations in the log alone",
		edits: [
			{
				file: "src/raft/configurations.ts",
				text: "const first = snapshot?.configuration ?? {",
				replacement: "const first = (snapshot && null) ?? {",
			},
		],
	},
	{
		name: "snapshot-of-latest-configuration",
		pitfall: "P22",
		breaks: "a snapshot holds the configuration in force, committed or not",
		edits: [
			{
				file: raft,
				text: "configuration: configurations.at(index) }",
				replacement:
					"configuration: configurations.at(Number.POSITIVE_INFINITY) }",
			},
		],
	},
	{
		name: "suffix-kept-despite-mismatch",
		pitfall: "P45",
		breaks: "a log that contradicts a snapshot keeps what follows it",
		edits: [
			{
				file: follower,
				text: sameTerm,
				replacement: "if (index <= log.lastIndex) {",
			},
		],
	},
	{
		name: "matching-suffix-dropped",
		pitfall: "P45",
		breaks: "a log that holds a snapshot's entry loses what follows it",
		edits: [
			{
				file: follower,
				text: sameTerm,
				replacement:
					"if (log.termAt(index) === term && index === log.lastIndex) {",
			},
		],
	},
	{
		name: "applies-before-restored",
		pitfall: "P46",
		breaks: "entries before a snapshot are handed out after it",
		edits: [
			{
				file: log,
				text: "		this.durable = index;\n		this.applying = index;",
				replacement: "		this.durable = index;",
			},
		],
	},
	{
		name: "compacts-what-is-needed",
		pitfall: "P47",
		breaks: "compaction does not ask what followers still need",
		edits: [
			{
				file: raft,
				text: "needed = Math.min(needed, has + 1);",
				replacement: "needed = has < 0 ? 0 : needed;",
			},
		],
	},
	{
		name: "pending-snapshot-for-ever",
		pitfall: "P48",
		breaks:
			"a follower that has caught up another way is still waited for to install",
		edits: [
			{
				file: "src/raft/progress.ts",
				text: `if (this.state !== "replicate") {`,
				replacement: `if (this.state === "probe") {`,
			},
		],
	},
	{
		name: "offer-not-repeated",
		pitfall: "P48",
		breaks: "a snapshot is offered once, whether or not that got through",
		edits: [
			{
				file: heartbeats,
				text: "offerSnapshot(core, progress);",
				replacement: "",
			},
		],
	},
	{
		name: "base-term-zero",
		pitfall: "P49",
		breaks: "the term before a compacted log counts as 0",
		edits: [
			{
				file: log,
				text: "this.#base = { index, term: this.termAt(index) };",
				replacement: "this.#base = { index, term: 0 };",
			},
		],
	},
	{
		name: "unknown-term-zero",
		pitfall: "P49",
		breaks: "the term of an entry that is not in the log counts as 0",
		edits: [
			{
				file: log,
				text: "if (index < this.#base.index || index > this.lastIndex) return null;",
				replacement:
					"if (index < this.#base.index || index > this.lastIndex) return 0;",
			},
		],
	},
];
