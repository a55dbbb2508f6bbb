import type { SnapshotsReport } from "../operations/snapshots/list.js";
import type { SaveReport } from "../operations/snapshots/save.js";
import { textTable } from "./text-table.js";

type SnapshotSchedule = NonNullable<SnapshotsReport["schedule"]>;
type ScheduledSnapshot = NonNullable<SnapshotsReport["scheduled"]>;

/** What was saved, and how fast. */
export function savedText(report: SaveReport): string {
	const { file, node, index, term, bytes, durationMs } = report;
	const rate = bytes / 1e6 / Math.max(0.001, durationMs / 1000);
	return [
		`saved ${file}`,
		`the state of ${report.cluster} at index ${index} of term ${term}, ${size(bytes)} from ${node}, in ${(durationMs / 1000).toFixed(1)} s (${Math.round(rate)} MB/s)`,
	].join("\n");
}

/** The snapshots of every node; `nowMs` since the Unix epoch. */
export function snapshotsText(report: SnapshotsReport, nowMs: number): string {
	const rows = report.nodes.flatMap(({ node, fault, snapshots }) => {
		if (fault !== "") return [[node, "-", "-", "-", fault]];
		if (snapshots.length === 0) return [[node, "-", "-", "-", "none yet"]];
		return snapshots.map(({ index, term, fileBytes, createdAtMs, release }) => [
			...[node, String(index), String(term), size(fileBytes)],
			`${age(nowMs - createdAtMs)} ago, by ${release}`,
		]);
	});
	return [
		textTable(["NODE", "INDEX", "TERM", "SIZE", "TAKEN"], rows),
		"",
		scheduleText(report.schedule),
		...scheduledText(report.scheduled, nowMs),
	].join("\n");
}

/** The setting, in a line or two. */
export function scheduleText(schedule: SnapshotSchedule | null): string {
	if (schedule === null) return "the cluster takes no snapshots by itself";
	const { intervalMs, keep, directory, command, s3 } = schedule;
	return [
		`every ${age(intervalMs)} to ${directory} of whoever leads, the newest ${keep} are kept`,
		...(command.length === 0 ? [] : [`then runs: ${command.join(" ")}`]),
		...(s3 === null
			? []
			: [`then copies it to ${s3.endpoint}/${s3.bucket}/${s3.prefix}`]),
	].join("\n");
}

/** How the last ones went. */
export function scheduledText(
	scheduled: ScheduledSnapshot | null,
	nowMs: number,
): readonly string[] {
	if (scheduled === null) return [];
	const { succeededAtMs, index, node, file, bytes, fault } = scheduled;
	return [
		succeededAtMs === null
			? "none has gone well yet"
			: `last: index ${index}, ${size(bytes)}, ${age(nowMs - succeededAtMs)} ago, ${file} on ${node}`,
		...(fault === ""
			? []
			: [`FAILED ${age(nowMs - scheduled.attemptedAtMs)} ago: ${fault}`]),
	];
}

function size(bytes: number): string {
	if (bytes < 1e4) return `${bytes} B`;
	return bytes < 1e7
		? `${(bytes / 1e6).toFixed(2)} MB`
		: `${Math.round(bytes / 1e6)} MB`;
}

/** "45 s", "12 min", "3.5 h", "2.0 d". */
export function age(ms: number): string {
	const seconds = Math.max(0, ms) / 1000;
	if (seconds < 120) return `${Math.round(seconds)} s`;
	if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
	if (seconds < 172_800) return `${(seconds / 3_600).toFixed(1)} h`;
	return `${(seconds / 86_400).toFixed(1)} d`;
}
