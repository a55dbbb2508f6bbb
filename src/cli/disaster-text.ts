import type { RecoverReport, Survey } from "../operations/recover/recover.js";
import type { RestoreReport } from "../operations/snapshots/restore.js";
import { textTable } from "./text-table.js";

/** What became of the cluster, and what its clients see. */
export function restoredText(report: RestoreReport): string {
	const { file, from } = report;
	return [
		`restored ${file}, the state of ${from.clusterId} at index ${from.index} of term ${from.term}`,
		...bornLines(report, from.index),
	].join("\n");
}

export function recoveredText(report: RecoverReport): string {
	const { survey, fromIndex } = report;
	return [
		`recovered from what ${survey.best} had, up to index ${fromIndex}`,
		...survey.losses,
		...copyLines(report),
		...bornLines(report, fromIndex),
	].join("\n");
}

/** Where the state lies that the new cluster was made of, a line for each path. */
export function copyLines({
	copies,
}: Pick<RecoverReport, "copies">): readonly string[] {
	const paths = [...new Set(copies.map(({ path }) => path))];
	return paths.map((path) => {
		const hosts = copies.flatMap((copy) =>
			copy.path === path ? [copy.host] : [],
		);
		const where = hosts.map((host) =>
			host === "local" ? "this machine" : host,
		);
		return `the exported state is kept as ${path}, on ${where.join(", ")}`;
	});
}

/** What every node holds, which one is proposed, and what may be lost. */
export function surveyText({ holdings, best, losses }: Survey): string {
	const rows = holdings.map(({ node, running, fault, holds }) => [
		node === best ? `${node} *` : node,
		running ? "runs" : "down",
		shown(holds?.lastTerm),
		shown(holds?.lastIndex),
		shown(holds?.commit),
		holds?.voters.join(", ") ?? "-",
		fault,
	]);
	return [
		textTable(
			["NODE", "STATE", "TERM", "INDEX", "COMMITTED", "VOTERS", "FAULT"],
			rows,
		),
		"",
		`* ${best} has the most: the new cluster begins with its data.`,
		...holdings.flatMap(({ node, running }) =>
			running
				? [
						`${node} runs, and does not say the term of its last entry: all are compared again once it is stopped.`,
					]
				: [],
		),
		...losses,
	].join("\n");
}

function shown(value: number | null | undefined): string {
	return value === null || value === undefined ? "-" : String(value);
}

function bornLines(
	report: RestoreReport | RecoverReport,
	fromIndex: number,
): readonly string[] {
	const { clusterId, oldClusterId, nodes, left, index, leader, kept, notes } =
		report;
	const keptLines = Object.entries(kept).map(
		([node, path]) => `the old data of ${node} is kept as ${path}`,
	);
	return [
		`the cluster is ${clusterId} now, on ${nodes.join(", ")}, led by ${leader ?? "nobody yet"}; nodes of ${oldClusterId} are refused`,
		`clients see the index go on at ${index ?? "an unknown place"}, behind ${fromIndex}; sessions have ended, and subscribers are told to begin anew`,
		...(left.length === 0
			? []
			: [
					`${left.join(", ")} take no part: raftctl add-learner NODE --promote adds each of them`,
				]),
		"a schedule of snapshots was not taken over: raftctl snapshot schedule sets one",
		...keptLines,
		...notes,
	];
}
