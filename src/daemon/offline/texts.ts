import type { SnapshotManifest } from "../../storage/snapshots/snapshot-store.js";
import { columns, shownBytes } from "../doctor/text.js";
import type { ExportReport } from "./export.js";
import type { DirectoryReport } from "./inspect-directory.js";
import type { RestoreReport } from "./restore.js";
import type { Drill, VerifyReport } from "./verify.js";

type Row = readonly [string, string];

export function manifestText(file: string, manifest: SnapshotManifest): string {
	return told([["file", file], ...rowsOf(manifest)]);
}

function rowsOf(manifest: SnapshotManifest): Row[] {
	const { index, term, clusterId, machine, level, release } = manifest;
	const { voters, outgoing, learners } = manifest.configuration.configuration;
	const { createdAtMs, contentBytes, fileBytes, sha256, id } = manifest;
	return [
		["cluster", clusterId],
		["index", `${index} of term ${term}`],
		["voters", listed([...new Set([...voters, ...outgoing])])],
		["learners", listed(learners)],
		["machine", `${machine}, level ${level}`],
		["release", `raftd ${release}`],
		["created", new Date(createdAtMs).toISOString()],
		[
			"bytes",
			`${shownBytes(fileBytes)}, ${shownBytes(contentBytes)} of content`,
		],
		["sha256", sha256],
		["id", id],
	];
}

export function verifyText(report: VerifyReport): string {
	const { file, manifest, drill, problems, ok, notes, durationMs } = report;
	const rows: Row[] = [
		["file", file],
		...(manifest === null ? [] : rowsOf(manifest)),
	];
	if (drill !== null)
		rows.push(
			["checked", "every checksum, and the SHA-256 of the content"],
			["drill", drilled(drill)],
			["state", drill.digest],
		);
	for (const { offset, what } of problems)
		rows.push(["damage", `at offset ${offset}: ${what}`]);
	for (const note of notes) rows.push([ok ? "note" : "differs", note]);
	const seconds = Math.max(durationMs, 1) / 1000;
	const speed = shownBytes((manifest?.fileBytes ?? 0) / seconds);
	return `${told(rows)}
${ok ? `good, in ${seconds.toFixed(1)} s (${speed}/s)` : "NOT good: do not rely on this file"}
`;
}

export function exportText(report: ExportReport): string {
	const { file, manifest, appliedFrom, committedIndex } = report;
	const tail = report.isTailCommitted
		? "all of it was known to be committed"
		: `known to be committed up to index ${committedIndex}; what is behind it may never have been acknowledged`;
	return told([
		["file", file],
		...rowsOf(manifest),
		[
			"from",
			appliedFrom === 0
				? "the whole log"
				: `the snapshot at index ${appliedFrom}, and the log behind it`,
		],
		["tail", tail],
	]);
}

export function restoreText(report: RestoreReport): string {
	const { configuration, from, dropped } = report;
	const text = told([
		["directory", report.directory],
		["node", `${report.node}, incarnation ${report.incarnation}`],
		["cluster", `${report.clusterId}; the file was of ${from.clusterId}`],
		[
			"index",
			`${report.index} of term ${report.term}; the file was at ${from.index}`,
		],
		["voters", listed(configuration.voters)],
		["learners", listed(configuration.learners)],
		["sha256", `${report.sha256} (the same on every node that is restored)`],
		[
			"dropped",
			`${dropped.sessions} sessions, ${dropped.alarms} alarms, ${dropped.operations} operations`,
		],
	]);
	if (dropped.snapshotSchedule === null) return text;
	return `${text}The schedule of snapshots was not taken over: set it again, with a directory of this cluster's own.\n`;
}

export function directoryText(report: DirectoryReport): string {
	const { directory, identity, holds, holder, verdict, problems } = report;
	const rows: Row[] = [["directory", directory]];
	if (identity !== null)
		rows.push(
			["cluster", identity.clusterId],
			["node", `${identity.nodeId}, incarnation ${identity.incarnation}`],
		);
	if (holds !== null) {
		const { snapshot, configuration } = holds;
		rows.push(
			["term", `${holds.term}, vote for ${holds.votedFor ?? "nobody"}`],
			[
				"log",
				`${holds.firstIndex} to ${holds.lastIndex}, the last of term ${holds.lastTerm}`,
			],
			["commit", `${holds.commit} at least`],
			[
				"snapshot",
				snapshot === null
					? "none"
					: `index ${snapshot.index} of term ${snapshot.term}`,
			],
			[
				"voters",
				`${listed(configuration.voters)} (index ${configuration.index})`,
			],
			["learners", listed(configuration.learners)],
		);
	}
	if (holder !== null)
		rows.push(["in use", `by ${holder}: its log was not read`]);
	rows.push(["verdict", verdict]);
	for (const { file, what } of problems)
		rows.push(["problem", `${file}: ${what}`]);
	return told(rows);
}

function drilled({ matchesFile, copy }: Drill): string {
	if (matchesFile || copy === null)
		return "restored, and saved again: byte for byte the same";
	return copy.differing.length === 0
		? "restored, saved again, and restored from that: the same state"
		: `restored, saved again, and restored from that: another state (${listed(copy.differing)})`;
}

function listed(names: readonly string[]): string {
	return names.length === 0 ? "none" : names.join(", ");
}

function told(rows: readonly Row[]): string {
	return `${columns(rows).join("\n")}\n`;
}
