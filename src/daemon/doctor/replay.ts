import { OperatorError } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import { type DataDirectory, reading } from "./data-directory.js";
import { examine } from "./examine.js";
import { checkReplay, type ReplayFindings } from "./replay-check.js";
import { planReplay } from "./replay-plan.js";

/** What `raftd replay --json` prints (docs/raftd.md). */
export interface ReplayReport extends ReplayFindings {
	readonly version: 1;
	/** Absolute. */
	readonly directory: string;
	readonly machine: string;
	/** The replays began behind this index: a snapshot's, or 0 for the beginning of the log. */
	readonly from: number;
	/** The last entry. */
	readonly to: number;
	/** Where the second replay went on from a snapshot of its own. */
	readonly middle: number;
	/** Indexes of the node's own snapshots that there were on the way. */
	readonly snapshots: readonly number[];
}

/** Replays the log of a node that is down, see `checkReplay`. */
export async function replayDirectory(
	directory: DataDirectory,
	machine: Machine,
): Promise<ReplayReport> {
	const examination = await examine(directory);
	const plan = planReplay(examination);
	const { log, snapshots } = examination;
	const other = snapshots.usable.find(
		({ manifest }) => manifest.machine !== machine.name,
	);
	if (other !== undefined) throw otherMachine(other.manifest, machine.name);
	if (log === null) throw new Error("invariant: a plan without a log");
	const findings = await reading(directory.path, () =>
		checkReplay(directory, { log, plan, machine }),
	);
	return {
		...{ version: 1, directory: directory.path, machine: machine.name },
		...{ from: plan.from, to: plan.to, middle: plan.middle },
		snapshots: plan.known.map(({ manifest }) => manifest.index),
		...findings,
	};
}

function otherMachine(
	{ machine, index }: { readonly machine: string; readonly index: number },
	given: string,
): OperatorError {
	return new OperatorError(
		"config",
		`the snapshot at index ${index} is of machine ${machine}, and not of ${given}`,
		{
			state: "nothing was replayed",
			next: `give the module of machine ${machine} with --app FILE`,
		},
	);
}
