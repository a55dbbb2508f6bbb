import type { MembersChanged } from "../operations/membership/change-members.js";
import { durationText } from "./progress/duration.js";
import { canaryLines } from "./report-cost.js";
import { textTable } from "./text-table.js";

/** What became of the members, for people. */
export function membershipText(report: MembersChanged): string {
	const { operation, cluster, changes, durationMs } = report;
	const done =
		changes.length === 0 ? "nothing was left to change" : changes.join(", ");
	return [
		`${operation} of ${cluster}: ${done}, in ${durationText(durationMs)}`,
		"",
		...membershipLines(report),
	]
		.join("\n")
		.trimEnd();
}

/** The members, and what else there is to know; also of an operation that was taken up. */
export function membershipLines(report: MembersChanged): readonly string[] {
	const { transfers, snapshot } = report;
	return [
		membersTable(report),
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
	];
}

/** Where nothing was to be changed nobody was asked to say so. */
function membersTable(report: MembersChanged): string {
	const { agreeing, members, silent } = report;
	const wereAsked = agreeing.length + silent.length > 0;
	return textTable(
		["NODE", "ROLE", ...(wereAsked ? ["SAYS SO"] : [])],
		members.map(({ id, role }) => [
			...[id, role],
			...(wereAsked ? [saysSo(report, id)] : []),
		]),
	);
}

function saysSo(
	{ agreeing, silent }: Pick<MembersChanged, "agreeing" | "silent">,
	id: string,
): string {
	if (agreeing.includes(id)) return "yes";
	return silent.includes(id) ? "does not answer" : "";
}
