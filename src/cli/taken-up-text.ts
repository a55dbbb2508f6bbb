import type { PlannedStep } from "../operations/events.js";
import type { MembersChanged } from "../operations/membership/change-members.js";
import type { RecoverReport } from "../operations/recover/recover.js";
import type { RestoreReport } from "../operations/snapshots/restore.js";
import { copyLines, recoveredText, restoredText } from "./disaster-text.js";
import { membershipLines } from "./membership-text.js";
import { durationText } from "./progress/duration.js";

interface TakenUp {
	readonly operation: string;
	readonly cluster: string;
	readonly plan: readonly PlannedStep[];
	readonly id?: string;
	readonly durationMs?: number;
}

/** How taking an operation up ended, for people, with all that the command itself would have told of what became of it. */
export function takenUpText(as: "resume" | "abort", report: TakenUp): string {
	const { operation, cluster, id = "", durationMs = 0 } = report;
	const what = `${operation} of ${cluster} (${id})`;
	const took = `this took ${durationText(durationMs)}`;
	const members = isOfMembers(report) ? report : null;
	const unconfirmed = sentencesOf(report, "unconfirmed");
	const fault = faultOf(report);
	const head =
		as === "resume"
			? `${what} is done; ${took}`
			: fault === null
				? `${what} is given up; nothing is half done. T${took.slice(1)}`
				: `${what} is given up, but ${fault}; ${took}`;
	if (members === null)
		return [
			head,
			...unconfirmed.map((sentence) => `  ${sentence}`),
			...((as === "resume" ? bornText(report) : null) ?? [
				...(isOfRecovery(report) ? copyLines(report) : []),
				...sentencesOf(report, "notes"),
			]),
		].join("\n");
	return [head, changesText(members), "", ...membershipLines(members)]
		.join("\n")
		.trimEnd();
}

/** Why it cannot be said that nothing is half done; null when it can. */
export function faultOf(report: object): string | null {
	const silent = isOfMembers(report) ? report.silent : [];
	if (silent.length > 0) return silentText(silent);
	return sentencesOf(report, "unconfirmed").length > 0
		? "not all is as it should be"
		: null;
}

/** Of a report that has them under that name. */
function sentencesOf(
	report: object,
	name: "notes" | "unconfirmed",
): readonly string[] {
	const found = (report as Partial<Record<typeof name, unknown>>)[name];
	return Array.isArray(found) ? found.map(String) : [];
}

/** Of a cluster that took another's place; null of everything else. */
function bornText(report: object): readonly string[] | null {
	if (isOfRecovery(report)) return ["", recoveredText(report)];
	return isOfRestore(report) ? ["", restoredText(report)] : null;
}

function isOfRecovery(report: object): report is RecoverReport {
	return "survey" in report && "copies" in report;
}

function isOfRestore(report: object): report is RestoreReport {
	return "kept" in report && "from" in report;
}

function silentText(silent: readonly string[]): string {
	return `${silent.join(", ")} ${silent.length === 1 ? "does" : "do"} not answer`;
}

function changesText({ changes }: MembersChanged): string {
	return changes.length === 0
		? "this time nothing was left to change"
		: `this time: ${changes.join(", ")}`;
}

function isOfMembers(report: object): report is MembersChanged {
	return "changes" in report && "agreeing" in report && "members" in report;
}
