import { randomBytes } from "node:crypto";
import { OperatorError, reasonOf } from "../../errors.js";
import type { CanaryWish } from "../canary/wish.js";
import { commandFor, type OperationContext } from "../context.js";
import type { OperationEvent } from "../events.js";
import { throwIfEnded } from "../interruption.js";
import type { OperationLock } from "../lock.js";
import type { Step } from "../steps/step.js";
import { isSilence } from "../wait.js";
import type { Journal } from "./journal.js";
import { inCluster, type Keeping } from "./keeping.js";
import {
	type Attempt,
	isUnfinished,
	type OperationRecord,
	parseRecord,
	recordVersion,
} from "./record.js";

/** An operation in hand: the lock is held, and the journal knows of it. */
export interface Undertaking {
	/** Events and step boundaries that go through it are seen by the journal. */
	readonly context: OperationContext;
	readonly lock: OperationLock;
	readonly record: OperationRecord;
}

export interface NewOperation {
	readonly operation: string;
	readonly text: string;
	readonly arguments: object;
	readonly skip: readonly string[];
	readonly lockWaitMs: number;
	/** Where its lock and its record are; by default in the cluster. */
	readonly keeping?: Keeping;
	readonly canary: CanaryWish | null;
	/** As it was shown. */
	readonly plan: OperationRecord["plan"];
	/** Called under the lock: what the world is like now, as far as resume has to know. Throws when it must not begin. */
	readonly memo: () => Promise<object>;
}

/** Begins an operation: refused with OperatorError "partial" while another is unfinished. */
export function beginOperation<Report extends object>(
	context: OperationContext,
	wish: NewOperation,
	body: (undertaking: Undertaking) => Promise<Report>,
): Promise<Report> {
	const { operation, text, skip, lockWaitMs, keeping = inCluster } = wish;
	const named = { operation: text, lockWaitMs };
	return keeping.withLock(context, named, async (lock) => {
		await requireNoneUnfinished(context, keeping);
		const memo = await wish.memo();
		return undertake(
			{ context, lock, journal: keeping.journal(context, lock) },
			{
				...{ version: recordVersion, id: newId(), operation, text },
				...{ arguments: wish.arguments, memo, skip, state: "running" },
				attempts: [attemptOf(context, "begin")],
				...{ plan: wish.plan, canary: wish.canary },
				...{ finished: [], step: null, error: null, report: null },
			},
			body,
		);
	});
}

/** Takes an unfinished operation in hand again, to end it or to give it up. Its killed holder's lock is waited for. */
export function takeUpOperation<Report extends object>(
	context: OperationContext,
	wish: {
		readonly record: OperationRecord;
		readonly as: "resume" | "abort";
		readonly lockWaitMs: number;
		readonly keeping?: Keeping;
	},
	body: (undertaking: Undertaking) => Promise<Report>,
): Promise<Report> {
	const { id, text } = wish.record;
	const { as, lockWaitMs, keeping = inCluster } = wish;
	const named = { operation: `${as} ${text}`, lockWaitMs };
	return keeping.withLock(context, named, async (lock) => {
		// Somebody may have ended it while the lock was waited for.
		const record = await requireUnfinished(context, { id, keeping });
		const attempts = [...record.attempts, attemptOf(context, as)];
		return undertake(
			{ context, lock, journal: keeping.journal(context, lock) },
			{ ...record, state: "running", attempts, step: null, error: null },
			body,
		);
	});
}

/** Throws OperatorError "partial" that names it and the two ways on. */
export async function requireNoneUnfinished(
	context: OperationContext,
	keeping: Keeping = inCluster,
): Promise<void> {
	const all = await keeping.read(context);
	const stored = all.find(({ unfinished }) => unfinished);
	if (stored === undefined) return;
	const { text, state, step } = parseRecord(stored);
	const at = step === null ? "" : `, at ${step}`;
	throw new OperatorError(
		"partial",
		`"${text}" is not finished: it was ${state === "paused" ? "paused" : "stopped"}${at}`,
		{
			state: "nothing was touched",
			next: `${commandFor(context, "operation resume")} goes on with it, ${commandFor(context, "operation abort")} gives it up`,
		},
	);
}

async function requireUnfinished(
	context: OperationContext,
	{ id, keeping }: { readonly id: string; readonly keeping: Keeping },
): Promise<OperationRecord> {
	const stored = (await keeping.read(context)).find((one) => one.id === id);
	if (stored?.unfinished) return parseRecord(stored);
	throw new OperatorError(
		"refused",
		stored === undefined
			? `the journal knows no operation ${id}`
			: `operation ${id} is finished already: ${parseRecord(stored).state}`,
		{
			state: "nothing was touched",
			next: commandFor(context, "operation list"),
		},
	);
}

/** Sortable by time, and short enough to be typed. */
function newId(): string {
	const time = Math.floor(Date.now() / 1000).toString(36);
	return `${time}-${randomBytes(3).toString("hex")}`;
}

function attemptOf(context: OperationContext, as: Attempt["as"]): Attempt {
	const { holder, release } = context;
	return { as, ...holder, atMs: Date.now(), release };
}

interface Tools {
	readonly context: OperationContext;
	readonly lock: OperationLock;
	readonly journal: Journal;
}

/** Thrown at a step boundary when somebody asked for a pause. */
function paused(context: OperationContext): OperatorError {
	return new OperatorError("partial", "paused, as somebody asked", {
		state: "what was begun is ended; nothing is half done",
		next: commandFor(context, "operation resume"),
	});
}

export async function undertake<Report extends object>(
	tools: Tools,
	begun: OperationRecord,
	body: (undertaking: Undertaking) => Promise<Report>,
): Promise<Report> {
	const { journal, lock } = tools;
	// Before anything is touched: without this nobody could take it up.
	await journal.write(begun, "begins");
	const keeper = new RecordKeeper(tools, begun);
	const undertaking: Undertaking = {
		context: keeper.context,
		lock,
		get record() {
			return keeper.record;
		},
	};
	try {
		const report = await body(undertaking);
		const last = { state: begunState(begun), step: null };
		await keeper.end({ ...last, report: withoutPlan(report) });
		return report;
	} catch (error) {
		await keeper.fail(error);
		throw error;
	}
}

/** The record has the plan already, and the cluster takes no long ones. */
function withoutPlan(report: object): object {
	const { plan: _, ...rest } = report as { readonly plan?: unknown };
	return rest;
}

function begunState({ attempts }: OperationRecord): "done" | "aborted" {
	return attempts.at(-1)?.as === "abort" ? "aborted" : "done";
}

/** Keeps the journal up to date with what the operation says while it runs. */
class RecordKeeper {
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

	async end(last: Partial<OperationRecord>): Promise<void> {
		await this.#writing;
		this.record = { ...this.record, ...last };
		await this.#writeLast();
	}

	async fail(error: unknown): Promise<void> {
		const untouched = this.#marks.size === 0 && this.#isFirst();
		const state = this.#isPaused ? "paused" : untouched ? "failed" : "stopped";
		const kind = error instanceof OperatorError ? error.kind : "unexpected";
		await this.end({ state, error: { kind, message: reasonOf(error) } });
	}

	/** What an earlier attempt did is not known here. */
	#isFirst(): boolean {
		return this.record.attempts.length === 1;
	}

	/** The record that everybody will see from now on: worth a few tries. */
	async #writeLast(): Promise<void> {
		const { context, journal, lock } = this.#tools;
		for (let left = lastTries; ; left--) {
			try {
				await journal.write(this.record);
				return;
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
				return;
			}
		}
	}
}

const lastTries = 10;
const lastTryEveryMs = 500;
