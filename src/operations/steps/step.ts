import { reasonOf } from "../../errors.js";
import type { OperationContext } from "../context.js";
import type { PlannedStep } from "../events.js";
import { throwIfEnded } from "../interruption.js";

/** One thing that an operation does: shown by the plan, run and, where it makes sense, undone. All are idempotent. */
export interface Step extends PlannedStep {
	/** Why there is nothing to do; null when there is. */
	isDone?(): Promise<string | null>;
	/** Called right before `run`, and before a `committed` step is: throws when it must not begin after all. */
	guard?(): Promise<void>;
	/** Returns a note on how it went, or null. Gives up when the signal aborts, unless it is `committed`. */
	run(
		signal: AbortSignal,
		progress: (note: string) => void,
	): Promise<string | null>;
	/** Puts back what `run` did, or did half. Never called once a later step is `committed`. */
	undo?(): Promise<void>;
	/** Begun, it is ended, whatever is pressed: half of it would be worse. It cannot be undone, nor what came before. */
	readonly committed?: true;
	/** What it does, if anything, need be neither undone nor taken up: who got no further has touched nothing. */
	readonly looks?: true;
	/** After it, what is left is planned anew: the world may be another. */
	readonly replan?: true;
}

/**
 * Runs the steps in order. On a failure, or when the signal aborts, undoes what began and can be undone, latest first,
 * and throws the cause; what could not be undone is told as a warning.
 */
export async function runSteps(
	context: OperationContext,
	steps: readonly Step[],
	signal: AbortSignal,
): Promise<void> {
	let undoable: Step[] = [];
	for (const step of steps) {
		try {
			throwIfEnded(signal);
			await context.steps?.boundary(step);
			if (await skipped(context, step)) continue;
			await step.guard?.();
			throwIfEnded(signal);
			context.steps?.began(step);
			if (step.committed) undoable = [];
			else if (step.undo) undoable.unshift(step);
			await runStep(context, step, signal);
		} catch (error) {
			await undo(context, undoable);
			throw error;
		}
	}
}

/** A step with nothing to do has not begun: neither the journal nor `undo` has to know of it. */
async function skipped(
	{ emit }: OperationContext,
	step: Step,
): Promise<boolean> {
	const reason = (await step.isDone?.()) ?? null;
	if (reason === null) return false;
	emit({ type: "step-skipped", step: step.id, node: step.node, reason });
	return true;
}

const neverAborted = new AbortController().signal;

async function runStep(
	context: OperationContext,
	step: Step,
	signal: AbortSignal,
): Promise<void> {
	const { clock, emit } = context;
	const named = { step: step.id, node: step.node };
	const startedAt = clock.now();
	emit({ type: "step-started", ...named, title: step.title });
	try {
		const note = await step.run(
			step.committed ? neverAborted : signal,
			(text) => emit({ type: "step-progress", ...named, note: text }),
		);
		emit({
			type: "step-finished",
			...named,
			durationMs: Math.round(clock.now() - startedAt),
			note,
		});
	} catch (error) {
		emit({ type: "step-failed", ...named, reason: reasonOf(error) });
		throw error;
	}
}

async function undo(
	{ emit, steps: observer }: OperationContext,
	steps: readonly Step[],
): Promise<void> {
	for (const step of steps) {
		try {
			await step.undo?.();
			observer?.undone(step);
		} catch (error) {
			emit({
				type: "warning",
				node: step.node,
				message: `"${step.title}" could not be undone: ${reasonOf(error)}`,
			});
		}
	}
}

/** The steps as a plan shows them. */
export function planOf(steps: readonly Step[]): readonly PlannedStep[] {
	return steps.map(({ id, title, node, cost }) => ({ id, title, node, cost }));
}
