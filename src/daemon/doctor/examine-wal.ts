import { basename } from "node:path";
import { findMarker, markerName } from "../../storage/marker.js";
import { formatVersion } from "../../storage/segment.js";
import { readHeader } from "../../storage/segment-files.js";
import {
	type ReadLog,
	readLog,
	type SegmentReport,
} from "../../storage/verify.js";
import { logGoneNext } from "../identity.js";
import type { DataDirectory } from "./data-directory.js";
import type { DoctorReport, Problem } from "./report.js";

/** The log, whose it is, and whether it may be gone. */
export function examineWal(
	directory: DataDirectory,
	identity: DoctorReport["identity"],
): {
	readonly log: ReadLog;
	readonly problems: Problem[];
	readonly notes: string[];
} {
	const { disk, wal } = directory;
	const owner = identity === null ? {} : { owner: identity };
	const log = readLog({ directory: wal, disk, ...owner });
	const { report } = log;
	const notes = report.segments
		.filter(({ state, what }) => state === "ok" && what !== null)
		.map(({ file, what }) => `${file}: ${what}`);
	if (report.leftovers.length > 0)
		notes.push(
			`the next start removes from ${wal}: ${report.leftovers.join(", ")}`,
		);
	const named = otherOwner(log, identity);
	const isMixed = named !== null && report.state === "damaged";
	if (named !== null && !isMixed)
		notes.push(
			`${wal}/${markerName} names ${named}, yet the segments are this node's: raftd goes by those`,
		);
	const problems = [
		...markerProblems(directory, log),
		...(isMixed ? [mixed(directory, named)] : []),
		...goneProblems(directory, log, identity),
		// Read as this node's, nothing of another one's log is whole.
		...(isMixed ? [] : segmentProblems(directory, log)),
	];
	return { log, problems, notes };
}

function markerProblems(
	{ wal, disk }: DataDirectory,
	{ report }: ReadLog,
): Problem[] {
	if (report.marker === null) return [];
	const file = `${wal}/${markerName}`;
	const about = { file, offset: 0, index: null, what: report.marker };
	return typeof findMarker(disk, file) === "number"
		? [{ ...about, ...laterRelease }]
		: [{ ...about, ...damaged(null) }];
}

function goneProblems(
	{ wal }: DataDirectory,
	log: ReadLog,
	identity: DoctorReport["identity"],
): Problem[] {
	if (identity === null || !isGone(log, identity)) return [];
	return [
		{
			...{ severity: "damaged", file: wal, offset: null, index: null },
			what: `the log of node ${identity.nodeId} is gone`,
			means:
				"the node has forgotten its votes and what it acknowledged, and raftd does not start",
			next: logGoneNext,
		},
	];
}

/** The node had a log once, and nothing of it is left. */
export function isGone(
	{ report }: ReadLog,
	identity: DoctorReport["identity"],
): boolean {
	return identity?.logStarted === true && report.state === "none";
}

/** Whom log.json names instead of this directory's node; null when it is the same, or one of them names nobody. */
function otherOwner(
	{ report }: ReadLog,
	identity: DoctorReport["identity"],
): string | null {
	const { clusterId, nodeId } = report;
	if (identity === null || clusterId === null || nodeId === null) return null;
	const isSame = clusterId === identity.clusterId && nodeId === identity.nodeId;
	return isSame ? null : `node ${nodeId} of cluster ${clusterId}`;
}

function mixed({ wal }: DataDirectory, named: string): Problem {
	return {
		...{ severity: "damaged", file: `${wal}/${markerName}` },
		...{ offset: null, index: null },
		what: `the log is that of ${named}, and identity.json names another`,
		means: "parts of two nodes were mixed, and raftd does not start on them",
		next: "put each node's files back where they belong, from its own directory",
	};
}

function segmentProblems(
	directory: DataDirectory,
	{ report, recovered }: ReadLog,
): Problem[] {
	const problems: Problem[] = [];
	// A log that begins behind a snapshot has entries before it, as a start says, too.
	let before = recovered.firstIndex > 1 ? recovered.firstIndex - 1 : null;
	for (const segment of report.segments) {
		before = segment.lastIndex ?? before;
		const { file, offset, state, what } = segment;
		if (state === "ok") continue;
		const about = { file, offset, index: before, what: what ?? state };
		if (state === "torn-tail") problems.push({ ...about, ...torn });
		else if (isLater(directory, segment))
			problems.push({ ...about, ...laterRelease });
		else problems.push({ ...about, ...damaged(before) });
	}
	return problems;
}

function isLater({ disk, wal }: DataDirectory, segment: SegmentReport) {
	if (segment.bytes === 0 || segment.offset !== 0) return false;
	const file = disk.openReadOnly(`${wal}/${basename(segment.file)}`);
	try {
		return (readHeader(file)?.version ?? formatVersion) > formatVersion;
	} finally {
		file.close();
	}
}

const torn = {
	severity: "repairable",
	means:
		"the node ended in the middle of this write; nobody was told that it was done, so nothing is lost",
	next: "start the node: it cuts the write off by itself",
} as const;

const laterRelease = {
	severity: "later-release",
	means: "a later release wrote it; this one does not touch it",
	next: "use the raftd of that release, for the node and for this command",
} as const;

function damaged(index: number | null) {
	const entries = index === null ? "entries" : `entries behind index ${index}`;
	return {
		severity: "damaged",
		means: `${entries} that this node acknowledged may be gone, and raftd does not start`,
		next: "leave the node down and keep the directory: the other voters go on if most of them are well. Remove the node from the cluster and add a new member in its place",
	} as const;
}
