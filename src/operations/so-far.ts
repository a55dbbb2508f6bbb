import type { PlannedStep } from "./events.js";
import type { OperationRecord } from "./journal/record.js";
import type { Step } from "./steps/step.js";

/** What is left to do now: all steps as made, and those of them that have something to do. */
interface Left {
	readonly steps: readonly Step[];
	readonly plan: readonly PlannedStep[];
}

/** What an earlier attempt did, as the journal has it; what is planned again is not done, whatever it says. Pure. */
export function doneBefore(
	{ finished }: OperationRecord,
	{ plan }: Left,
): readonly string[] {
	const left = new Set(plan.map(({ id }) => id));
	return sentence(
		"done",
		finished.filter((id) => !left.has(id)),
	);
}

/**
 * How the plan differs from the one that was in hand, for who resumes: the cluster may have been changed by hand meanwhile.
 * A kill alone explains a step that came about though the journal had not heard of it, and a drain, which is a lease, that
 * is to be done again. Pure.
 */
export function changedSince(
	record: OperationRecord,
	left: Left,
): readonly string[] {
	// The plan of who gave up says nothing of what was to do.
	if (record.attempts.at(-1)?.as === "abort") return [];
	const known = new Set(record.plan.map(({ id }) => id));
	const over = new Set([...record.finished, ...(record.skipped ?? [])]);
	const now = new Set(left.plan.map(({ id }) => id));
	// A look is taken anew, however the last one ended.
	const looks = new Set(
		left.steps.filter((step) => step.looks).map(({ id }) => id),
	);
	return [
		...sentence(
			"done before, and to be done again",
			[...now].filter((id) => record.finished.includes(id) && !looks.has(id)),
		),
		...sentence(
			"new in the plan",
			[...now].filter((id) => !known.has(id) && !over.has(id)),
		),
		...sentence(
			"not in the plan any more",
			[...known].filter((id) => !over.has(id) && !now.has(id)),
		),
	];
}

function sentence(what: string, ids: readonly string[]): readonly string[] {
	const listed = [...new Set(ids)].join(", ");
	return listed === "" ? [] : [`${what}: ${listed}`];
}
