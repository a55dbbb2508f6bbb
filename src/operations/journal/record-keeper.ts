import { OperatorError, reasonOf } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import type { OperationEvent } from "../events.js";
import { throwIfEnded } from "../interruption.js";
import type { OperationLock } from "../lock.js";
import type { Step } from "../steps/step.js";
import { isSilence } from "../wait.js";
import type { Journal } from "./journal.js";
import { isUnfinished, type OperationRecord } from "./record.js";

/** What an operation in hand writes its record with. */
export interface Tools {
	readonly context: OperationContext;
	readonly lock: OperationLock;
	readonly journal: Journal;
}

const lastTries = 10;
const lastTryEveryMs = 500;

/** Thrown at a step boundary when somebody asked for a pause. */
function paused(context: OperationContext): OperatorError {
	return new OperatorError("partial", "paused, as somebody asked", {
		state: "what was begun is ended; nothing is half done",
		next: commandFor(context, "operation resume"),
	});
}

/** Keeps the journal up to date with what the operation says while it runs. */
export class RecordKeeper {
	record: OperationRecord;
	readonly context: OperationContext;
	readonly #tools: Tools;
	/** Steps that may have changed something, and were not undone. */
	readonly #marks = new Set<Step>();
	#writing: Promise<void> = Promise.resolve();
	#isDirty = false;
	#pauseRequested = false;
	/** Its error may be wrapped in one that says the state. */
	#isPaused = false;

	constructor(tools: Tools, begun: OperationRecord) {
		this.#tools = tools;
		this.record = begun;
		const { context } = tools;
		this.context = {
			...context,
			emit: (event) => {
				this.#observe(event);
				context.emit(event);
			},
			steps: {
				boundary: (next) => this.#boundary(next),
				began: (step) => {
					if (!step.looks) this.#marks.add(step);
				},
				undone: (step) => this.#marks.delete(step),
			},
		};
	}

	#observe(event: OperationEvent): void {
		const { record } = this;
		if (event.type === "plan") this.record = { ...record, plan: event.steps };
		else if (event.type === "step-started") {
			this.#tools.lock.setStep(event.step);
			this.record = { ...record, step: event.step };
		} else if (event.type === "step-finished") {
			const finished = [...record.finished, event.step];
			this.record = { ...record, finished };
		} else if (event.type === "step-skipped") {
			const skipped = [...(record.skipped ?? []), event.step];
			this.record = { ...record, skipped };
		} else if (event.type === "cost") {
			// Of one that failed nothing else is reported; the record is about to be written anyway.
			this.record = { ...record, report: { cost: event.cost } };
			return;
		} else return;
		this.#touch();
	}

	/** What happened meanwhile is written with the next write: resume does not rest on it, people look at it. */
	#touch(): void {
		if (this.#isDirty) return;
		this.#isDirty = true;
		this.#writing = this.#writing.then(() => this.#write());
	}

	async #write(): Promise<void> {
		this.#isDirty = false;
		try {
			const stored = await this.#tools.journal.write(this.record);
			this.#pauseRequested ||= stored.pauseRequested;
		} catch {
			// Silence passes, and a lost lock ends the operation by its own signal.
		}
	}

	async #boundary(next: Step): Promise<void> {
		await this.#writing;
		throwIfEnded(this.#tools.lock.signal);
		await this.#tools.context.steps?.boundary(next);
		if (!this.#pauseRequested) return;
		this.#isPaused = true;
		throw paused(this.#tools.context);
	}

	/** Returns whether the journal could be told. */
	async end(last: Partial<OperationRecord>): Promise<boolean> {
		await this.#writing;
		this.record = { ...this.record, ...last };
		return this.#writeLast();
	}

	/** Returns whether the journal holds it as unfinished from now on. */
	async fail(error: unknown): Promise<boolean> {
		const untouched = !this.hasTouched && this.#isFirst();
		const isOver = untouched || this.record.lapses === true;
		const state = this.#isPaused ? "paused" : isOver ? "failed" : "stopped";
		const kind = error instanceof OperatorError ? error.kind : "unexpected";
		const last = { kind, message: reasonOf(error) };
		const isTold = await this.end({ state, error: last });
		if (isUnfinished(this.record)) return true;
		// To the others it runs still, with nobody there.
		return !isTold && this.record.lapses !== true;
	}

	/** Whether this attempt did something that was not undone. */
	get hasTouched(): boolean {
		return this.#marks.size > 0;
	}

	/** What an earlier attempt did is not known here. */
	#isFirst(): boolean {
		return this.record.attempts.length === 1;
	}

	/** The record that everybody will see from now on: worth a few tries. */
	async #writeLast(): Promise<boolean> {
		const { context, journal, lock } = this.#tools;
		for (let left = lastTries; ; left--) {
			try {
				await journal.write(this.record);
				return true;
			} catch (error) {
				if (isSilence(error) && left > 0) {
					await context.clock.sleep(lastTryEveryMs);
					continue;
				}
				const state = isUnfinished(this.record) ? "stopped" : this.record.state;
				context.emit({
					type: "warning",
					node: null,
					message: `the journal could not be told that the operation is ${state} (token ${lock.fencingToken}): ${reasonOf(error)}`,
				});
				return false;
			}
		}
	}
}
