import type { ReadLog } from "../../storage/verify.js";
import { type Alignment, alignmentOf } from "../engine/replay.js";
import { pointOf } from "../engine/snapshots/load.js";
import { type DataDirectory, reading } from "./data-directory.js";
import { examineIdentity } from "./examine-identity.js";
import {
	type ExaminedSnapshots,
	examineSnapshots,
} from "./examine-snapshots.js";
import { examineWal, isGone } from "./examine-wal.js";
import { type DoctorReport, type Problem, verdictOf } from "./report.js";

/** All that was found, for those who go on with it. */
export interface Examination {
	readonly report: DoctorReport;
	/** Null when a process uses the directory: its last write would look torn, or worse. */
	readonly log: ReadLog | null;
	readonly snapshots: ExaminedSnapshots;
}

/**
 * Looks at identity, log and snapshots, and at whether they belong together; changes nothing. Damage is a finding; only
 * what keeps from looking is thrown, as an OperatorError.
 */
export function examine(directory: DataDirectory): Promise<Examination> {
	return reading(directory.path, async () => {
		const { holder, path } = directory;
		const { identity, problems: ofIdentity } = examineIdentity(directory);
		const wal = holder === null ? examineWal(directory, identity) : null;
		const log = wal?.log ?? null;
		const clusterId = identity?.clusterId ?? log?.report.clusterId ?? null;
		const snapshots = examineSnapshots(directory, clusterId);
		const alignment =
			log === null || isGone(log, identity)
				? null
				: alignmentIn(log, snapshots);
		const problems = [
			...ofIdentity,
			...(wal?.problems ?? []),
			...passedOver(snapshots, log, alignment),
			...misaligned(directory, log, snapshots, alignment),
		];
		const report: DoctorReport = {
			...{ version: 1, directory: path, verdict: verdictOf(problems) },
			...{ complete: holder === null, holder, identity },
			...{ wal: log?.report ?? null, snapshots: snapshots.reports },
			...{ alignment, problems },
			notes: [...(wal?.notes ?? []), ...snapshots.notes],
		};
		return { report, log, snapshots };
	});
}

/** Null when there is too little left to tell. */
function alignmentIn(
	log: ReadLog,
	{ usable }: ExaminedSnapshots,
): Alignment | null {
	if (log.report.state === "damaged") return null;
	const newest = usable[0];
	return alignmentOf(
		log.recovered,
		newest === undefined ? null : pointOf(newest.manifest),
	);
}

/** A start does without a damaged snapshot as long as an older one, or the whole log, stands in for it. */
function passedOver(
	{ unusable, usable }: ExaminedSnapshots,
	log: ReadLog | null,
	alignment: Alignment | null,
): Problem[] {
	const stand = usable[0];
	const instead =
		stand !== undefined
			? `the snapshot at index ${stand.manifest.index}`
			: log?.recovered.firstIndex === 1
				? "the whole log"
				: null;
	const isDispensable = instead !== null && alignment !== "damaged";
	return unusable.flatMap(({ file, index, isLater, faults }) =>
		faults.map(({ offset, what }) => ({
			...{ file, offset, index, what },
			...(isLater
				? {
						severity: "later-release" as const,
						means: "a later release wrote it; this one passes it over",
						next: "use the raftd of that release, for the node and for this command",
					}
				: isDispensable
					? {
							severity: "repairable" as const,
							means: `a start passes it over and uses ${instead}`,
							next: "check the disk, then start the node: it takes a new snapshot in time",
						}
					: {
							severity: "damaged" as const,
							means: "nothing on this disk is known to stand in for it",
							next: "put the file back from a copy; else remove the node from the cluster and add a new member in its place",
						}),
		})),
	);
}

function misaligned(
	{ wal }: DataDirectory,
	log: ReadLog | null,
	{ usable }: ExaminedSnapshots,
	alignment: Alignment | null,
): Problem[] {
	if (log === null || alignment === null || alignment === "fits") return [];
	const { firstIndex, lastIndex } = log.recovered;
	const snapshot = usable[0]?.manifest.index ?? null;
	const about = { file: wal, offset: null, index: snapshot };
	if (alignment === "reset")
		return [
			{
				...{ ...about, severity: "repairable" },
				what: `the log ends at index ${lastIndex} and does not lead up to the snapshot at index ${snapshot}`,
				means:
					"the node ended after it had taken over the snapshot and before its log began anew; the snapshot holds all that was committed",
				next: "start the node: it lets the log begin behind the snapshot",
			},
		];
	return [
		{
			...{ ...about, severity: "damaged" },
			what:
				snapshot === null
					? `the log begins at index ${firstIndex}, and there is no snapshot that can be used for what was before`
					: `the log, from index ${firstIndex} to ${lastIndex}, and the snapshot at index ${snapshot} do not belong together`,
			means: "the state cannot be built again, and raftd does not start",
			next: "if a snapshot was removed by hand, put it back; else remove the node from the cluster and add a new member in its place",
		},
	];
}
