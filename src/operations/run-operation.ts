import { completed, OperatorError } from "../errors.js";
import type { CanaryUse } from "./canary/wish.js";
import { requireCanary, withCanary } from "./canary/with-canary.js";
import { commandFor, type OperationContext } from "./context.js";
import type { PlannedStep } from "./events.js";
import type { Keeping } from "./journal/keeping.js";
import type { OperationRecord } from "./journal/record.js";
import {
	beginOperation,
	takeUpOperation,
	type Undertaking,
} from "./journal/undertaking.js";
import { requireTurn } from "./journal/unfinished.js";
import type {
	Operation,
	OperationOptions,
	OperationReport,
	Run,
} from "./operation.js";
import { type PlanReport, planReport, unlocked } from "./plan.js";
import { changedSince, doneBefore } from "./so-far.js";
import { runSteps, type Step } from "./steps/step.js";

/** What the operation would do now. Takes no lock and touches nothing. */
export async function planOperation(
	context: OperationContext,
	operation: Operation,
	lockWaitMs = 0,
): Promise<PlanReport> {
	await requireTurn(context, operation.keeping, lockWaitMs);
	const run = {
		...{ context, lock: unlocked(context), isResumed: false },
		memo: await operation.prepare(context),
	};
	try {
		const steps = await operation.steps(run);
		return await planReport(context, operation.name, steps);
	} finally {
		await operation.end?.(run);
	}
}

/** Shows the plan, asks, takes the lock, looks again, and does it; the journal knows of every step. */
export async function runOperation<Report extends object>(
	context: OperationContext,
	make: () => Operation<Report>,
	{ lockWaitMs, confirm, canary = {} }: OperationOptions,
): Promise<OperationReport & Report> {
	requireCanary(context, canary);
	const operation = make();
	const { name, text, skip, lapses } = operation;
	// What only makes the plan holds no lock, and must leave nothing behind in what acts.
	const { plan } = await planOperation(context, make(), lockWaitMs);
	context.emit({ type: "plan", operation: name, steps: plan });
	await confirm?.();
	return beginOperation(
		context,
		{
			...{ operation: name, text, skip, lockWaitMs },
			...keptAt(operation),
			...(lapses === undefined ? {} : { lapses }),
			arguments: operation.arguments,
			...{ memo: () => operation.prepare(context), plan },
			canary: canary.wish ?? null,
		},
		(undertaking) =>
			carryOut(undertaking, operation, { kind: "steps", plan, canary }),
	);
}

/** What taking it up would do now. Takes no lock and touches nothing. */
export async function planTakingUp(
	context: OperationContext,
	operation: Operation,
	{
		record,
		as,
	}: { readonly record: OperationRecord; readonly as: "resume" | "abort" },
): Promise<PlanReport & Required<Pick<PlanReport, "soFar">>> {
	const lock = unlocked(context);
	const run = { context, lock, memo: record.memo, isResumed: true };
	try {
		const steps =
			await operation[as === "resume" ? "steps" : "abortSteps"](run);
		const planned = await planReport(context, operation.name, steps);
		const left = { steps, plan: planned.plan };
		const soFar = (await operation.soFar?.(run)) ?? [
			...doneBefore(record, left),
			...(as === "resume" ? changedSince(record, left) : []),
		];
		return { ...planned, soFar };
	} finally {
		await operation.end?.(run);
	}
}

/** Ends what a killed or stopped process began: `resume` does what is left, `abort` leaves the cluster valid. */
export function takeUp(
	context: OperationContext,
	operation: Operation,
	wish: {
		readonly record: OperationRecord;
		readonly as: "resume" | "abort";
		readonly lockWaitMs: number;
		/** As it was shown already. */
		readonly plan: readonly PlannedStep[];
		/** Its wish takes the place of the one that the operation began with. */
		readonly canary?: CanaryUse;
	},
): Promise<OperationReport> {
	const isResumed = wish.as === "resume";
	const kind = isResumed ? "steps" : "abortSteps";
	// What leaves the cluster valid is never held up by a budget.
	const canary = isResumed
		? { wish: wish.record.canary ?? null, ...wish.canary }
		: {};
	const taken = { ...wish, ...keptAt(operation) };
	return takeUpOperation(context, taken, (undertaking) =>
		carryOut(undertaking, operation, { kind, plan: wish.plan, canary }),
	);
}

function keptAt({ keeping }: Operation): { readonly keeping?: Keeping } {
	return keeping === undefined ? {} : { keeping };
}

interface Course {
	readonly kind: "steps" | "abortSteps";
	/** As it was shown already. */
	readonly plan: readonly PlannedStep[];
	readonly canary: CanaryUse;
}

function carryOut<Report extends object>(
	undertaking: Undertaking,
	operation: Operation<Report>,
	course: Course,
): Promise<OperationReport & Report> {
	const { context, record } = undertaking;
	const isResumed = record.attempts.length > 1;
	return withCanary(context, { ...course.canary, isResumed }, (watched) => {
		const { lock } = undertaking;
		const { memo, attempts } = record;
		const run = { context: watched, lock, memo, isResumed, attempts };
		return perform(run, operation, { ...course, id: record.id });
	});
}

async function perform<Report extends object>(
	run: Run,
	operation: Operation<Report>,
	{ id, kind, plan: shown }: Course & { readonly id: string },
): Promise<Omit<OperationReport, "cost"> & Report> {
	const { context, lock } = run;
	const startedAt = context.clock.now();
	let plan = shown;
	try {
		for (;;) {
			const left = await operation[kind](run);
			plan = await showIfNew(context, operation, { left, plan });
			const stretch = upToReplan(left);
			await runSteps(context, stretch, lock.signal);
			if (stretch.length === left.length && !left.at(-1)?.replan) break;
		}
		return {
			...{ operation: operation.name, cluster: context.inventory.name },
			...{ id, plan },
			...(await operation.report(run)),
			durationMs: Math.round(context.clock.now() - startedAt),
		};
	} catch (error) {
		throw operation.failure?.(run, error) ?? withWayOn(run, operation, error);
	} finally {
		await operation.end?.(run);
	}
}

/** What an operation says nothing more of: its steps were undone, and where nothing is left of it, it can be given again. */
function withWayOn(
	{ context }: Run,
	{ text }: Operation,
	error: unknown,
): unknown {
	if (!(error instanceof OperatorError)) return error;
	const status = commandFor(context, "status");
	return completed(error, {
		state: "what was begun is undone, as far as it could be",
		next: `${status}, then ${commandFor(context, text)} again`,
		remedy: status,
	});
}

/** A plan is shown again only if there is something to do that was not in it. Returns what was shown last. */
async function showIfNew(
	context: OperationContext,
	{ name }: Operation,
	{
		left,
		plan,
	}: { readonly left: readonly Step[]; readonly plan: readonly PlannedStep[] },
): Promise<readonly PlannedStep[]> {
	const known = new Set(plan.map(({ id }) => id));
	const isKnown = ({ id }: { readonly id: string }) => known.has(id);
	if (left.every(isKnown)) return plan;
	const { plan: steps } = await planReport(context, name, left);
	if (steps.every(isKnown)) return plan;
	context.emit({ type: "plan", operation: name, steps });
	return steps;
}

function upToReplan(steps: readonly Step[]): readonly Step[] {
	const at = steps.findIndex(({ replan }) => replan);
	return at === -1 ? steps : steps.slice(0, at + 1);
}
