import { randomBytes } from "node:crypto";
import type { CanaryWish } from "../canary/wish.js";
import {
	commandFor,
	lookAtCluster,
	type OperationContext,
} from "../context.js";
import type { OperationLock } from "../lock.js";
import { inCluster, type Keeping } from "./keeping.js";
import { type Attempt, type OperationRecord, recordVersion } from "./record.js";
import { RecordKeeper, type Tools } from "./record-keeper.js";
import {
	inTheWay,
	mayLapse,
	requireUnfinished,
	unfinishedOperation,
} from "./unfinished.js";
import { unfinishedBy } from "./way-on.js";

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
	/** Killed, it leaves nothing to take up. */
	readonly lapses?: true;
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
		const tools = { context, lock, journal: keeping.journal(context, lock) };
		await clearTheWay(tools, keeping);
		const memo = await wish.memo();
		return undertake(
			tools,
			{
				...{ version: recordVersion, id: newId(), operation, text },
				...{ arguments: wish.arguments, memo, skip, state: "running" },
				...(wish.lapses ? { lapses: true } : {}),
				attempts: [attemptOf(context, "begin")],
				...{ plan: wish.plan, canary: wish.canary },
				...{ finished: [], step: null, error: null, report: null },
			},
			body,
		);
	});
}

/** The lock is held: whoever is not finished is gone. What lapses is closed, so that the audit tells what became of it. */
async function clearTheWay(
	{ context, journal }: Tools,
	keeping: Keeping,
): Promise<void> {
	const left = await unfinishedOperation(context, keeping);
	if (left === null) return;
	const { record } = left;
	if (left.keeping !== keeping || !mayLapse(record))
		throw inTheWay(context, left);
	await journal.write({ ...record, state: "lapsed" });
	const { text, attempts } = record;
	const message = `"${text}" of ${attempts.at(-1)?.holder ?? "somebody"} was killed and has lapsed: ${await leftOf(context, record)}`;
	context.emit({ type: "warning", node: null, message });
}

/** A drain of several nodes may have given some their long lease before it was killed. */
async function leftOf(
	context: OperationContext,
	{ operation }: OperationRecord,
): Promise<string> {
	if (operation !== "drain") return "nothing of it is left";
	const { nodes } = await lookAtCluster(context);
	const drained = nodes
		.filter(({ status }) => status?.drain.draining === true)
		.map(({ id, status }) => {
			const leftMs = status?.drain.leaseLeftMs ?? 0;
			return `${id} for ${Math.ceil(leftMs / 1000)} s more`;
		});
	return drained.length === 0
		? "nothing of it is left"
		: `still drained: ${drained.join(", ")}; ${commandFor(context, "undrain NODE")} ends that`;
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

/** Sortable by time, and short enough to be typed. */
function newId(): string {
	const time = Math.floor(Date.now() / 1000).toString(36);
	return `${time}-${randomBytes(3).toString("hex")}`;
}

function attemptOf(context: OperationContext, as: Attempt["as"]): Attempt {
	const { holder, release, inventory } = context;
	const { stateDirectory } = inventory;
	return { as, ...holder, atMs: Date.now(), release, stateDirectory };
}

async function undertake<Report extends object>(
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
		const isLeft = await keeper.fail(error);
		if (!isLeft) throw error;
		const { hasTouched } = keeper;
		throw unfinishedBy(tools.context, error, { hasTouched });
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
