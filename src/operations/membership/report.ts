import type { MemberStatus } from "../../cluster/engine.js";
import { commandFor } from "../context.js";
import type { Transfer } from "../steps/leadership.js";
import type { SafetySnapshot } from "../steps/safety-snapshot.js";
import type { Work } from "./work.js";

/** What a change of members did; `--json` prints it, with what every operation's report has. */
export interface MembershipReport {
	/** As "promote n4", in order; of this attempt only. */
	readonly changes: readonly string[];
	readonly configurationIndex: number;
	readonly members: readonly Pick<MemberStatus, "id" | "role">[];
	/** Members that said so themselves, and those that did not answer. */
	readonly agreeing: readonly string[];
	readonly silent: readonly string[];
	readonly transfers: readonly Transfer[];
	/** Taken beforehand; null when none was. */
	readonly snapshot: SafetySnapshot | null;
	readonly fileChanged: boolean;
	/** What is left to people, or good to know. */
	readonly notes: readonly string[];
	/** Checks that were left out by name. */
	readonly skipped: readonly string[];
}

export function reportOf(work: Work): MembershipReport {
	const { view, tally, skip } = work;
	const { agreement, changes, fileChanged, snapshot, transfers } = tally;
	const silent = agreement?.silent ?? [];
	const notes = [...tally.notes, ...silent.map((id) => wayOn(work, id))];
	return {
		changes,
		configurationIndex: view.leader.configurationIndex,
		members: view.leader.members.map(({ id, role }) => ({ id, role })),
		agreeing: agreement?.agreeing ?? [],
		silent,
		transfers,
		snapshot,
		fileChanged,
		notes: [...new Set(notes)],
		skipped: skip,
	};
}

/** A member that does not answer counts all the same: nobody may take the result for a sound cluster. */
function wayOn({ base, tally }: Work, id: string): string {
	const inFile =
		tally.fileChanged || base.inventory.nodes.some((node) => node.id === id);
	const start = `${commandFor(base, "up")} starts it${inFile ? "" : " once the cluster file has it"}`;
	const remove = `${commandFor(base, `remove-node ${id}`)} takes it out`;
	return `${id} is a member and does not answer: ${start}, ${remove}`;
}
