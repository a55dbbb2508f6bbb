import { basename, relative } from "node:path";
import { nameParts } from "../../storage/snapshots/place.js";
import type { DoctorReport, Problem } from "./report.js";
import { columns, shownBytes } from "./text.js";

/** For a person in a hurry: the verdict first, then what is there, then each problem with what to do about it. */
export function reportText(report: DoctorReport): string {
	const { directory, identity, problems, notes } = report;
	const whose =
		identity === null
			? []
			: [
					`node ${identity.nodeId} of cluster ${identity.clusterId}, incarnation ${identity.incarnation}`,
				];
	return [
		`${directory}: ${headline(report)}`,
		...whose,
		"",
		...columns([["what", "state", "holds"], ...rows(report)]),
		...problems.flatMap((problem, number) => [
			"",
			...problemLines(problem, number + 1, directory),
		]),
		...(notes.length === 0
			? []
			: ["", ...notes.map((note) => `note: ${note}`)]),
	].join("\n");
}

function headline(report: DoctorReport): string {
	const { verdict, complete, holder, problems } = report;
	const count =
		problems.length === 1 ? "1 problem" : `${problems.length} problems`;
	const found = {
		healthy: "healthy",
		repairable: `a start repairs it (${count})`,
		"later-release": `WRITTEN BY A LATER RELEASE (${count})`,
		damaged: `DAMAGED (${count})`,
	}[verdict];
	if (complete) return found;
	const rest = problems.length === 0 ? "the rest is healthy" : found;
	return `IN USE by ${holder}, so the log was not read; ${rest}\nnext: stop the node and give the command again, or ask it: raftctl status`;
}

function rows(report: DoctorReport): string[][] {
	const { identity, wal, holder, snapshots, problems, directory } = report;
	const name = (file: string) => shown(file, directory);
	const worst = problems.find(({ file }) => file.endsWith("identity.json"));
	return [
		[
			"identity.json",
			identity === null ? (worst?.severity ?? "damaged") : "ok",
			"",
		],
		...(wal === null
			? [["wal", "not read", `in use by ${holder}`]]
			: [
					["wal", wal.marker === null ? wal.state : "damaged", logHolds(wal)],
					...wal.segments.map((segment) => [
						name(segment.file),
						segment.state,
						segmentHolds(segment),
					]),
				]),
		...(snapshots.length === 0
			? [["snapshots", "none", ""]]
			: snapshots.map(({ file, state, manifest }) => [
					`snapshot ${manifest?.index ?? nameParts(basename(file))?.index ?? basename(file)}`,
					state,
					manifest === null ? "" : snapshotHolds(manifest),
				])),
	];
}

function logHolds(wal: NonNullable<DoctorReport["wal"]>): string {
	const { firstIndex, lastIndex, entries, term, votedFor, commit } = wal;
	if (wal.state === "none") return "there is no log yet";
	const range =
		firstIndex === null
			? "no entries"
			: `entries ${firstIndex} to ${lastIndex}`;
	const vote = votedFor === null ? "no vote" : `vote for ${votedFor}`;
	// What was noted after the damage, a later vote for one, is not counted.
	if (wal.state === "damaged") return `${range} (${entries}) can be read`;
	return `${range} (${entries}), term ${term}, ${vote}, commit at least ${commit}`;
}

function segmentHolds(
	segment: NonNullable<DoctorReport["wal"]>["segments"][number],
): string {
	const { firstIndex, lastIndex, bytes } = segment;
	if (bytes === 0) return "";
	const range =
		firstIndex === null
			? "no entries"
			: `entries ${firstIndex} to ${lastIndex}`;
	return `${range}, ${shownBytes(bytes)}`;
}

function snapshotHolds(
	manifest: NonNullable<DoctorReport["snapshots"][number]["manifest"]>,
): string {
	const { index, term, machine, level, release, createdAtMs, fileBytes } =
		manifest;
	return `index ${index}, term ${term}, machine ${machine}, level ${level}, ${shownBytes(fileBytes)}, by raftd ${release} at ${new Date(createdAtMs).toISOString()}`;
}

function problemLines(
	{ severity, file, offset, index, what, means, next }: Problem,
	number: number,
	directory: string,
): string[] {
	const place = [
		shown(file, directory),
		...(offset === null ? [] : [`offset ${offset}`]),
		...(index === null
			? []
			: [
					file.endsWith(".snapshot")
						? `index ${index}`
						: `after index ${index}`,
				]),
	].join(", ");
	return [
		`problem ${number}, ${severity}: ${place}`,
		`  what:  ${what}`,
		`  means: ${means}`,
		`  next:  ${next}`,
	];
}

function shown(file: string, directory: string): string {
	return relative(directory, file) || file;
}
