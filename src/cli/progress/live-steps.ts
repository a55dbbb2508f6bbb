import type {
	Listr,
	ListrTask,
	ListrTaskState,
	ListrTaskWrapper,
} from "listr2";
import type { OperationEvent, PlannedStep } from "../../operations/events.js";
import type { Deferred } from "./deferred.js";
import { durationText } from "./duration.js";

export type Library = typeof import("listr2");
export type Task = ListrTaskWrapper<unknown, never, never>;

/** A planned step as the list shows it. Its promises settle with the events, whether or not it is drawn yet. */
export interface LiveStep {
	readonly planned: PlannedStep;
	/** False: the operation ended before this step's turn. */
	readonly started: Deferred<boolean>;
	readonly ended: Deferred<Ending>;
	task: Task | null;
}

type Ending =
	| { readonly how: "finished"; readonly note: string }
	| { readonly how: "skipped" | "failed"; readonly reason: string }
	| { readonly how: "left" };

/** What happens to one step of an operation. */
export type StepEvent = Extract<OperationEvent, { readonly step: string }>;

export interface Group {
	readonly node: string | null;
	readonly steps: LiveStep[];
}

/** Neighbouring steps of one node belong together; a step of no node stands alone. */
export function groupsOf(steps: readonly LiveStep[]): Group[] {
	const groups: Group[] = [];
	for (const step of steps) {
		const { node } = step.planned;
		const last = groups.at(-1);
		if (node !== null && last?.node === node) last.steps.push(step);
		else groups.push({ node, steps: [step] });
	}
	return groups;
}

export function groupTask({ node, steps }: Group, library: Library): ListrTask {
	const [first] = steps;
	if (node === null && first !== undefined) return stepTask(first, library);
	return {
		title: node ?? "",
		task: async (_, task): Promise<Listr | undefined> => {
			setState(task, library.ListrTaskState.WAITING);
			const begun = await firstOf(steps);
			if (!begun) return undefined;
			setState(task, library.ListrTaskState.STARTED);
			return task.newListr(
				steps.map((step) => stepTask(step, library)),
				{ concurrent: true, exitOnError: false },
			) as unknown as Listr;
		},
	};
}

/** listr2 starts every task at once; the state is put back until the operation starts the step. */
function stepTask(step: LiveStep, library: Library): ListrTask {
	const { title } = step.planned;
	return {
		title,
		task: async (_, task): Promise<void> => {
			step.task = task as unknown as Task;
			setState(task, library.ListrTaskState.WAITING);
			if (!(await step.started.promise)) return;
			setState(task, library.ListrTaskState.STARTED);
			const ending = await step.ended.promise;
			if (ending.how === "finished") task.title = `${title}${ending.note}`;
			if (ending.how === "skipped") task.skip(`${title}: ${ending.reason}`);
			if (ending.how === "left") task.skip(`${title}: not finished`);
			if (ending.how === "failed")
				throw new Error(`${title}: ${ending.reason}`);
		},
	};
}

async function firstOf(steps: readonly LiveStep[]): Promise<boolean> {
	const waiting = steps.map(async ({ started }) => {
		// Never settles for a step that was left: another one may still have begun.
		if (!(await started.promise)) throw new Error("left");
	});
	return Promise.any(waiting).then(
		() => true,
		() => false,
	);
}

function setState(
	task: { readonly task: { state$: ListrTaskState } },
	state: ListrTaskState,
): void {
	task.task.state$ = state;
}

/** How this event ends its step; null when it does not. */
export function endingOf(event: StepEvent): Ending | null {
	switch (event.type) {
		case "step-finished": {
			const note = event.note === null ? "" : `: ${event.note}`;
			return {
				how: "finished",
				note: ` (${durationText(event.durationMs)})${note}`,
			};
		}
		case "step-skipped":
			return { how: "skipped", reason: event.reason };
		case "step-failed":
			return { how: "failed", reason: event.reason };
		default:
			return null;
	}
}
