import type { MembersChanged } from "../operations/membership/change-members.js";
import { durationText } from "./progress/duration.js";
import { canaryLines } from "./report-cost.js";
import { textTable } from "./text-table.js";

/** What became of the members, for people. */
export function membershipText(report: MembersChanged): string {
	const { operation, cluster, changes, transfers, snapshot, durationMs } =
		report;
	const done =
		changes.length === 0 ? "nothing was left to change" : changes.join(", ");
	return [
		`${operation} of ${cluster}: ${done}, in ${durationText(durationMs)}`,
		"",
		textTable(
			["NODE", "ROLE", "SAYS SO"],
			report.members.map(({ id, role }) => [id, role, saysSo(report, id)]),
		),
		"",
		...transfers.map(
			({ from, to, durationMs: tookMs }) =>
				`leadership went from ${from} to ${to} in ${Math.round(tookMs)} ms`,
		),
		...(snapshot === null
			? []
			: [`taken before: a snapshot of ${snapshot.index} on ${snapshot.node}`]),
		...(report.fileChanged ? ["the cluster file is up to date"] : []),
		...report.notes,
		...canaryLines(report.cost),
		...(report.skipped.length === 0
			? []
			: [`checks left out by name: ${report.skipped.join(", ")}`]),
	]
		.join("\n")
		.trimEnd();
}

function saysSo(
	{ agreeing, silent }: Pick<MembersChanged, "agreeing" | "silent">,
	id: string,
): string {
	if (agreeing.includes(id)) return "yes";
	return silent.includes(id) ? "does not answer" : "";
}
