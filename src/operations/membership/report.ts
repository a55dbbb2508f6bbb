import type { MemberStatus } from "../../cluster/engine.js";
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

export function reportOf({ view, tally, skip }: Work): MembershipReport {
	const { agreement, changes, fileChanged, notes, snapshot, transfers } = tally;
	return {
		changes,
		configurationIndex: view.leader.configurationIndex,
		members: view.leader.members.map(({ id, role }) => ({ id, role })),
		agreeing: agreement?.agreeing ?? [],
		silent: agreement?.silent ?? [],
		transfers,
		snapshot,
		fileChanged,
		notes: [...new Set(notes)],
		skipped: skip,
	};
}
