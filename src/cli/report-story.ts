import type { OperationCost } from "../operations/cost/cost.js";
import type { OperationEvent, PlannedStep } from "../operations/events.js";
import type { FailureReport } from "./failure.js";

/** What a report tells of an operation, from its events alone: the same for each of them. */
export interface Story {
	/** Of raftctl, as it was typed: "rolling-restart". */
	readonly command: string;
	readonly beganAt: Date;
	readonly durationMs: number;
	readonly steps: readonly StepStory[];
	readonly warnings: readonly string[];
	/** Null when it did not come so far. */
	readonly cost: OperationCost | null;
	readonly outcome: Outcome;
}

export interface StepStory extends PlannedStep {
	readonly state: "planned" | "running" | "done" | "skipped" | "failed";
	/** How it went, or why it was skipped or failed; empty for nothing. */
	readonly note: string;
	readonly durationMs: number;
}

export type Outcome =
	| { readonly how: "done" }
	| { readonly how: "running" }
	| { readonly how: "failed"; readonly failure: FailureReport };

/** Warnings that are kept: an operation that warns all the time has said enough. */
const keptWarnings = 100;

export class StoryTeller {
	readonly #command: string;
	readonly #beganAt: Date;
	readonly #steps = new Map<string, StepStory>();
	readonly #warnings: string[] = [];
	#cost: OperationCost | null = null;

	constructor(command: string, beganAt: Date) {
		this.#command = command;
		this.#beganAt = beganAt;
	}

	observe(event: OperationEvent): void {
		switch (event.type) {
			case "plan":
				this.#plan(event.steps);
				return;
			case "cost":
				this.#cost = event.cost;
				return;
			case "warning": {
				const where = event.node === null ? "" : `${event.node}: `;
				if (this.#warnings.length < keptWarnings)
					this.#warnings.push(`${where}${event.message}`);
				return;
			}
			case "step-progress":
				return;
			default: {
				const step = this.#after(event);
				// In the order in which they were begun, which need not be the first plan's.
				if (event.type === "step-started") this.#steps.delete(event.step);
				this.#steps.set(event.step, step);
			}
		}
	}

	tell(now: Date, outcome: Outcome): Story {
		const steps = [...this.#steps.values()];
		return {
			command: this.#command,
			beganAt: this.#beganAt,
			durationMs: now.getTime() - this.#beganAt.getTime(),
			steps: [
				...steps.filter(({ state }) => state !== "planned"),
				...steps.filter(({ state }) => state === "planned"),
			],
			warnings: this.#warnings,
			cost: this.#cost,
			outcome,
		};
	}

	/** A plan that is made anew takes the place of what the one before it had still to come. */
	#plan(steps: readonly PlannedStep[]): void {
		for (const [id, { state }] of this.#steps)
			if (state === "planned") this.#steps.delete(id);
		for (const step of steps)
			if (!this.#steps.has(step.id))
				this.#steps.set(step.id, { ...unbegun, ...step });
	}

	#after(event: Extract<OperationEvent, { readonly step: string }>): StepStory {
		const { step: id, node } = event;
		const known = this.#steps.get(id) ?? {
			...{ ...unbegun, id, node, title: id, cost: "" },
		};
		switch (event.type) {
			case "step-started":
				return { ...known, title: event.title, state: "running", note: "" };
			case "step-finished":
				return {
					...{ ...known, state: "done", durationMs: event.durationMs },
					note: event.note ?? "",
				};
			case "step-skipped":
				return { ...known, state: "skipped", note: event.reason };
			case "step-failed":
				return { ...known, state: "failed", note: event.reason };
			case "step-progress":
				return known;
		}
	}
}

const unbegun = { state: "planned", note: "", durationMs: 0 } as const;
