import type { ListrTask } from "listr2";
import type { OperationEvent, PlannedStep } from "../../operations/events.js";
import { costText } from "../report-cost.js";
import { deferred } from "./deferred.js";
import { linesView } from "./lines.js";
import {
	endingOf,
	groupsOf,
	groupTask,
	type Library,
	type LiveStep,
	type StepEvent,
	type Task,
} from "./live-steps.js";
import { planLines, planTitle, soFarLines } from "./plan-lines.js";
import type { ProgressView } from "./view.js";

interface LiveViewOptions {
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
			if (event.type === "plan") {
				list = new LiveList(event.steps, stream);
				// The list below tells no costs, and begins only after a question.
				stream.write(`${planTitle(event.operation, event.steps)}\n`);
				for (const line of [...soFarLines(event), ...planLines(event.steps)])
					stream.write(`  ${line}\n`);
			} else if (list === null) lines.show(event);
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
	readonly #unplanned = new Map<string, string>();
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
		if (event.type === "cost") {
			this.#notice(`cost: ${costText(event.cost)}`);
			return;
		}
		if (event.type === "warning") {
			this.#notice(`Warning: ${whereOf(event)}${event.message}`);
			return;
		}
		const step = this.#steps.get(event.step);
		if (step === undefined) {
			// Undoing, for one: it is in no plan.
			if (event.type === "step-started")
				this.#unplanned.set(event.step, event.title);
			const title = this.#unplanned.get(event.step) ?? event.step;
			this.#notice(`${whereOf(event)}${title}${remarkOf(event)}`);
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
		const list = new library.Listr(
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
				renderer: rendererFor(library),
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

/** listr2 asks whether stdout is a terminal; it is stderr that is drawn on, and that was asked before. */
function rendererFor(library: Library) {
	return class extends library.DefaultRenderer {
		static override nonTTY = true;
	};
}

function remarkOf(event: StepEvent): string {
	switch (event.type) {
		case "step-started":
			return "";
		case "step-progress":
			return `: ${event.note}`;
		case "step-finished":
			return `: done${event.note === null ? "" : `, ${event.note}`}`;
		case "step-skipped":
			return `: skipped, ${event.reason}`;
		case "step-failed":
			return `: failed, ${event.reason}`;
	}
}

function whereOf({ node }: { readonly node: string | null }): string {
	return node === null ? "" : `${node}: `;
}
