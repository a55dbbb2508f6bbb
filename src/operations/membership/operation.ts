import type { NodeEntry } from "../../config/inventory.js";
import type { ErrorKind } from "../../errors.js";
import { OperatorError, reasonOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { wayOn } from "../journal/way-on.js";
import type { Operation, Run } from "../operation.js";
import type { Step } from "../steps/step.js";
import type { Skip } from "./options.js";
import { textOf } from "./options.js";
import { type MembershipReport, reportOf } from "./report.js";
import { type View, viewOf } from "./view.js";
import { freshTally, type Tally, type Work } from "./work.js";

/** What has to be remembered of the world before the first step: also the nodes, which the file may lose on the way. */
export interface MembershipMemo {
	readonly nodes: readonly NodeEntry[];
}

/** One kind of change of members: what it decides. How it is run and told is the same for all. */
export interface MembershipTask<Memo extends MembershipMemo> {
	readonly name: string;
	/** As the user would have typed it, without checks left out. */
	readonly words: readonly (string | null)[];
	readonly arguments: object;
	readonly skip: Skip;
	/** The nodes that it is about, which the cluster file need not have. Throws OperatorError "usage". */
	readonly nodes?: (context: OperationContext) => Promise<readonly NodeEntry[]>;
	/** Of what `prepare` remembered, the nodes as they are to be asked now; by default as it remembered them. */
	readonly placed?: (
		context: OperationContext,
		memo: Memo,
		signal: AbortSignal,
	) => Promise<readonly NodeEntry[]>;
	/** Throws when it must not begin. */
	readonly prepare: (view: View, base: OperationContext) => Promise<Memo>;
	readonly steps: (work: Work, memo: Memo) => Promise<readonly Step[]>;
	readonly abortSteps: (work: Work, memo: Memo) => Promise<readonly Step[]>;
}

export type MembershipOperation = Operation<MembershipReport>;

/** Makes the operation of a task. Its steps follow from the members as they are, so resume is the same as going on. */
export function membershipOperation<Memo extends MembershipMemo>(
	task: MembershipTask<Memo>,
): MembershipOperation {
	const tally = freshTally();
	const workOf = async (run: Run): Promise<Work> => {
		const { context: base, lock } = run;
		const memo = run.memo as Memo;
		const nodes = (await task.placed?.(base, memo, lock.signal)) ?? memo.nodes;
		const view = await viewOf(base, nodes, lock.signal);
		const { skip } = task;
		return { base, context: view.context, view, lock, skip, tally };
	};
	return {
		name: task.name,
		text: textOf(task.words, task.skip),
		arguments: task.arguments,
		skip: task.skip,
		async prepare(context) {
			const nodes = (await task.nodes?.(context)) ?? [];
			const view = await viewOf(context, nodes, context.signal);
			return task.prepare(view, context);
		},
		async steps(run) {
			return task.steps(await workOf(run), run.memo as Memo);
		},
		async abortSteps(run) {
			return task.abortSteps(await workOf(run), run.memo as Memo);
		},
		async report(run) {
			return reportOf(await workOf(run));
		},
		failure: (run, cause) =>
			failureOf(run, tally, {
				...{ cause, again: textOf(task.words, task.skip) },
			}),
		async end() {
			const holds = [...tally.holds.values()];
			tally.holds.clear();
			await Promise.all(holds.map((hold) => hold.abandon()));
		},
	};
}

/**
 * Where nothing was changed yet the cause speaks for itself. Else it is "partial", so that a pipeline knows to resume; an
 * interruption stays one, and so does a timeout, which leaves the cluster valid.
 */
function failureOf(
	run: Run,
	tally: Tally,
	{ cause, again }: { readonly cause: unknown; readonly again: string },
): OperatorError {
	const operator = cause instanceof OperatorError ? cause : null;
	const isHalf = tally.changes.length > 0 || run.isResumed;
	if (!isHalf && operator?.next !== undefined) return operator;
	const done = tally.changes.join(", ");
	const state = [
		operator?.state ?? "",
		done === "" ? "" : `done so far: ${done}`,
		isHalf ? "" : "the membership was not changed",
	];
	const retry = `${commandFor(run.context, again)} tries again`;
	return new OperatorError(kindOf(operator, tally), reasonOf(cause), {
		...(operator?.node === undefined ? {} : { node: operator.node }),
		problems: operator?.problems ?? [],
		state: [...new Set(state)].filter((part) => part !== "").join("; "),
		next: isHalf ? wayOn(run.context, operator?.remedy) : retry,
		...{ remedy: "", cause },
	});
}

const ownWord: ReadonlySet<ErrorKind> = new Set([
	"interrupted",
	"terminated",
	"timeout",
	"locked",
]);

function kindOf(cause: OperatorError | null, { changes }: Tally): ErrorKind {
	if (cause === null) return "unexpected";
	if (ownWord.has(cause.kind) || changes.length === 0) return cause.kind;
	return "partial";
}
