import { OperatorError } from "../../errors.js";
import { alignmentOf } from "../engine/replay.js";
import { pointOf } from "../engine/snapshots/load.js";
import type { Examination } from "./examine.js";
import type { UsableSnapshot } from "./examine-snapshots.js";

/** What is replayed, and what it is compared with on the way. */
export interface ReplayPlan {
	/** Null for the beginning of the log. */
	readonly start: UsableSnapshot | null;
	/** The first entry is the one behind it. */
	readonly from: number;
	/** The last entry. */
	readonly to: number;
	/** After this entry the second replay goes on from a snapshot of its own. */
	readonly middle: number;
	/** Rising: what the node itself had come to at these indexes. */
	readonly known: readonly UsableSnapshot[];
}

/**
 * From the beginning of the log, or else from the oldest snapshot from which it goes on, up to the last entry that is
 * known to be committed. Throws OperatorError "refused" when log and snapshots do not allow it.
 */
export function planReplay({
	report,
	log,
	snapshots,
}: Examination): ReplayPlan {
	if (log === null)
		throw new OperatorError(
			"locked",
			`${report.directory} is in use by ${report.holder}`,
			{
				state: "nothing was changed",
				next: "stop the node and give the command again, or copy its stopped directory",
			},
		);
	const oldestFirst = [...snapshots.usable].reverse();
	const { recovered } = log;
	const isFromBeginning = recovered.firstIndex === 1;
	const start = isFromBeginning
		? null
		: (oldestFirst.find(
				({ manifest }) => alignmentOf(recovered, pointOf(manifest)) === "fits",
			) ?? null);
	const isDamaged =
		report.verdict === "damaged" || report.wal?.state === "none";
	if (isDamaged || (start === null && !isFromBeginning)) throw notWhole(report);
	const from = start?.manifest.index ?? 0;
	const newest = oldestFirst.at(-1)?.manifest.index ?? 0;
	const committed = Math.max(recovered.hardState.commit, newest);
	const to = Math.max(from, Math.min(committed, recovered.lastIndex));
	const known = oldestFirst.filter(
		({ manifest: { index } }) => index > from && index <= to,
	);
	return { start, from, to, middle: from + Math.floor((to - from) / 2), known };
}

function notWhole({ directory, problems }: Examination["report"]) {
	return new OperatorError(
		"refused",
		`${directory} does not hold a log that can be replayed`,
		{
			problems: problems.map(({ file, what }) => `${file}: ${what}`),
			state: "nothing was changed",
			next: `raftd doctor --data-dir ${directory}`,
		},
	);
}
