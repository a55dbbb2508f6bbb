import type {
	Listr,
	ListrTask,
	ListrTaskState,
	ListrTaskWrapper,
} from "listr2";
import type { OperationEvent, PlannedStep } from "../../operations/events.js";
import { type Deferred, deferred } from "./deferred.js";
import { durationText } from "./duration.js";
import { linesView } from "./lines.js";
import type { ProgressView } from "./view.js";

type Library = typeof import("listr2");
type Task = ListrTaskWrapper<unknown, never, never>;

/** A planned step as the list shows it. Its promises settle with the events, whether or not it is drawn yet. */
interface LiveStep {
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

export interface LiveViewOptions {
	readonly stream: NodeJS.WriteStream;
	readonly now: () => Date;
}

/**
 * A list that is redrawn in place: the plan's steps under their nodes, those of finished nodes folded away. Drawn by
 * listr2, which decides nothing here: the operation runs, the list follows its events. Without a plan it is lines.
 */
export function liveView({ stream, now }: LiveViewOptions): ProgressView {
	const lines = linesView({ sink: stream, now });
	let list: LiveList | null = null;
	return {
		show(event) {
			if (event.type === "plan") list = new LiveList(event.steps, stream);
			else if (list === null) lines.show(event);
			else list.show(event);
		},
		close: async () => list?.close(),
	};
}

class LiveList {
	readonly #steps: ReadonlyMap<string, LiveStep>;
	readonly #stream: NodeJS.WriteStream;
	readonly #closed = deferred<void>();
	/** Shown below the list: warnings, and what belongs to no planned step. */
	readonly #notices: string[] = [];
	#noticeTask: Task | null = null;
	#drawing: Promise<void> | null = null;

	constructor(plan: readonly PlannedStep[], stream: NodeJS.WriteStream) {
		this.#stream = stream;
		this.#steps = new Map(
			plan.map((planned) => [
				planned.id,
				{ planned, started: deferred(), ended: deferred(), task: null },
			]),
		);
	}

	show(event: OperationEvent): void {
		if (event.type === "plan") return;
		if (event.type === "warning") {
			this.#notice(`Warning: ${whereOf(event)}${event.message}`);
			return;
		}
		const step = this.#steps.get(event.step);
		if (step === undefined) {
			if (event.type !== "step-started") this.#notice(noticeOf(event));
			return;
		}
		if (event.type === "step-progress") {
			if (step.task !== null) step.task.output = event.note;
			return;
		}
		step.started.resolve(true);
		// Drawn from the first step on: a plan alone may be followed by a question.
		this.#drawing ??= this.#draw();
		const ending = endingOf(event);
		if (ending !== null) step.ended.resolve(ending);
	}

	async close(): Promise<void> {
		for (const { started, ended } of this.#steps.values()) {
			started.resolve(false);
			ended.resolve({ how: "left" });
		}
		this.#closed.resolve();
		await this.#drawing;
		if (this.#drawing === null)
			for (const notice of this.#notices) this.#stream.write(`${notice}\n`);
	}

	#notice(text: string): void {
		this.#notices.push(text);
		if (this.#noticeTask !== null) this.#noticeTask.output = text;
	}

	async #draw(): Promise<void> {
		const library = await import("listr2");
		const output = new library.ProcessOutput(this.#stream, this.#stream);
		const list: Listr = new library.Listr(
			[
				this.#noticeLine(),
				...groupsOf([...this.#steps.values()]).map((group) =>
					groupTask(group, library),
				),
			],
			{
				concurrent: true,
				exitOnError: false,
				// Its own handler would end the process with 127 and skip what has to be undone.
				registerSignalListeners: false,
				renderer: "default",
				fallbackRendererCondition: false,
				rendererOptions: {
					logger: new library.ListrLogger({ processOutput: output }),
				},
			},
		);
		await list.run();
	}

	/** A task without a title: listr2 puts its output below the list. */
	#noticeLine(): ListrTask {
		return {
			task: async (_, task): Promise<void> => {
				this.#noticeTask = task as unknown as Task;
				for (const notice of this.#notices) task.output = notice;
				await this.#closed.promise;
			},
			rendererOptions: { bottomBar: 20, persistentOutput: true },
		};
	}
}

interface Group {
	readonly node: string | null;
	readonly steps: LiveStep[];
}

/** Neighbouring steps of one node belong together; a step of no node stands alone. */
function groupsOf(steps: readonly LiveStep[]): Group[] {
	const groups: Group[] = [];
	for (const step of steps) {
		const { node } = step.planned;
		const last = groups.at(-1);
		if (node !== null && last?.node === node) last.steps.push(step);
		else groups.push({ node, steps: [step] });
	}
	return groups;
}

function groupTask({ node, steps }: Group, library: Library): ListrTask {
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

type StepEvent = Extract<OperationEvent, { readonly step: string }>;

function endingOf(event: StepEvent): Ending | null {
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

function noticeOf(event: Exclude<StepEvent, { type: "step-started" }>): string {
	const said = "reason" in event ? event.reason : event.note;
	return `${whereOf(event)}${event.step}${said === null ? "" : `: ${said}`}`;
}

function whereOf({ node }: { readonly node: string | null }): string {
	return node === null ? "" : `${node}: `;
}
