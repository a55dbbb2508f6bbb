import type { OperationRecord } from "./record.js";

/** A constant of the cluster's own state: a longer record is refused by every node. */
export const maxRecordBytes = 16 * 1024;

const maxMessageLength = 1_000;
const maxFinished = 20;

/**
 * A record as the journal keeps it. What resume rests on, the arguments and what is remembered, is never left out; of
 * what people read, the longest and least needed goes first where a large cluster has more than there is room for.
 */
export function recordText(record: OperationRecord): string {
	let text = "";
	for (const shorten of shorter) {
		text = JSON.stringify(shorten(record));
		if (Buffer.byteLength(text) <= maxRecordBytes) break;
	}
	return text;
}

type Shorten = (record: OperationRecord) => OperationRecord;

const whole: Shorten = (record) => record;
const withoutCosts: Shorten = (record) => ({
	...record,
	plan: record.plan.map((step) => ({ ...step, cost: "" })),
});
const withoutReport: Shorten = (record) => ({
	...withoutCosts(record),
	report: null,
});
const withoutPlan: Shorten = (record) => ({
	...withoutReport(record),
	plan: [],
	finished: record.finished.slice(-maxFinished),
	skipped: [],
});
const withoutWords: Shorten = (record) => ({
	...withoutPlan(record),
	attempts: record.attempts.slice(-maxFinished),
	error:
		record.error === null
			? null
			: {
					...record.error,
					message: record.error.message.slice(0, maxMessageLength),
				},
});

const shorter = [
	whole,
	withoutCosts,
	withoutReport,
	withoutPlan,
	withoutWords,
] as const;
