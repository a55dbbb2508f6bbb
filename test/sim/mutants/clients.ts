import type { CoreMutant } from "./patch.js";

const proposals = "src/raft/proposals.ts";
const sessions = "src/machines/sessions.ts";

/** Bugs in what clients are told, and in what is executed once. */
export const clients: readonly CoreMutant[] = [
	{
		name: "acknowledged-executed-again",
		pitfall: "P58",
		breaks: "a command whose answer was acknowledged is executed again",
		edits: [
			{
				file: sessions,
				text: "if (stamp.sequence <= session.acknowledged)",
				replacement: "if (stamp.sequence < 0)",
			},
		],
	},
	{
		name: "snapshot-without-results",
		pitfall: "P58",
		breaks: "a snapshot keeps the sessions but not what they have executed",
		edits: [
			{
				file: sessions,
				text: "view.#sessions = new Map(this.#sessions);",
				replacement:
					"view.#sessions = new Map([...this.#sessions].map(([id, one]) => [id, { ...one, results: new Map(), bytes: 0 }]));",
			},
		],
	},
	{
		name: "snapshot-shares-sessions",
		pitfall: "P58",
		breaks: "commands that follow a snapshot change the sessions in it",
		edits: [
			{
				file: sessions,
				text: "		this.#owner = {};\n		return view;",
				replacement: "		view.#owner = this.#owner;\n		return view;",
			},
		],
	},
	{
		name: "sessions-by-local-time",
		pitfall: "P58",
		breaks:
			"sessions expire by the time at which a node applies, not by the log's",
		edits: [
			{
				file: "test/sim/applier.ts",
				text: "const result = this.machine.apply(entry);",
				replacement:
					"this.machine.control.sessions.expire(this.#world.nowMs); const result = this.machine.apply(entry);",
			},
		],
	},
	{
		name: "lost-at-step-down",
		pitfall: "P59",
		breaks: "a leader that steps down calls lost what is not committed",
		edits: [
			{
				file: "src/raft/follower.ts",
				text: "	abandonChange(core);",
				replacement:
					"	abandonChange(core); core.proposals.settle(core.log.lastIndex, (index) => (index > core.log.commit ? -1 : core.log.termAt(index)), core.proposalOutcomes);",
			},
		],
	},
	{
		name: "lost-under-snapshot",
		pitfall: "P59",
		breaks: "a command that a snapshot may hold is called lost",
		edits: [
			{
				file: proposals,
				text: `if (term === null) return "unknown";`,
				replacement: "",
			},
		],
	},
	{
		name: "proposals-never-expire",
		pitfall: "P59",
		breaks: "a command whose entry is gone is never answered",
		edits: [
			{
				file: "src/raft/raft.ts",
				text: "core.proposals.expire(nowMs, core.proposalOutcomes);",
				replacement: "",
			},
		],
	},
	{
		name: "stranded-under-snapshot",
		pitfall: "P59",
		breaks: "a command that a snapshot overtook is never answered",
		edits: [
			{
				file: "src/raft/follower.ts",
				text: "core.proposals.settle(index, () => null, core.proposalOutcomes);",
				replacement: "core.proposals.settle(index, () => null, []);",
			},
		],
	},
];
