import type { PlannedStep } from "../operations/events.js";
import type { MembersChanged } from "../operations/membership/change-members.js";
import { membershipLines } from "./membership-text.js";
import { durationText } from "./progress/duration.js";

interface TakenUp {
	readonly operation: string;
	readonly cluster: string;
	readonly plan: readonly PlannedStep[];
	readonly id?: string;
	readonly durationMs?: number;
}

/** How taking an operation up ended, for people; of one on the members all that the command itself would have told. */
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
			...sentencesOf(report, "notes"),
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
