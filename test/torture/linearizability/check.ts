import type { AnyModel } from "./model.js";
import type { Operation } from "./operation.js";
import { maxEffort, search } from "./search.js";
import { shrink } from "./shrink.js";
import { timeline } from "./timeline.js";

/** What happened to one key. */
export interface KeyHistory {
	readonly key: string;
	readonly model: AnyModel;
	readonly operations: readonly Operation[];
}

export interface Offence {
	readonly key: string;
	/** The part of its history that is enough to see it. */
	readonly operations: readonly Operation[];
	/** For people. */
	readonly report: string;
}

export interface Judgement {
	readonly linearizable: boolean;
	readonly operations: number;
	/** Keys whose histories have more orders than could be tried. */
	readonly undecided: readonly string[];
	/** Every key that no order explains. */
	readonly offenders: readonly string[];
	/** The smallest of these. */
	readonly offence: Offence | null;
}

/** Judges each key by itself: a history is linearizable exactly when that of every key is. */
export function judge(
	histories: Iterable<KeyHistory>,
	effortForOne = maxEffort,
): Judgement {
	const undecided: string[] = [];
	const offending: KeyHistory[] = [];
	let operations = 0;
	for (const history of histories) {
		operations += history.operations.length;
		const { kind } = search(history.model, history.operations, effortForOne);
		if (kind === "undecided") undecided.push(history.key);
		else if (kind === "not-linearizable") offending.push(history);
	}
	return {
		linearizable: offending.length === 0 && undecided.length === 0,
		...{ operations, undecided },
		offenders: offending.map(({ key }) => key),
		offence: smallest(offending),
	};
}

function smallest(offending: readonly KeyHistory[]): Offence | null {
	const offences = offending
		// To shrink is to search many times: the shortest are enough to choose from.
		.toSorted((a, b) => a.operations.length - b.operations.length)
		.slice(0, candidates)
		.map((history) => ({ ...history, operations: shrink(history) }))
		.sort((a, b) => a.operations.length - b.operations.length);
	const [first] = offences;
	if (first === undefined) return null;
	const { key, operations } = first;
	return { key, operations, report: timeline(first) };
}

const candidates = 8;
