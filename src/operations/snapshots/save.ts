import { resolve } from "node:path";
import type { SnapshotSummary } from "../../cluster/engine.js";
import { OperatorError } from "../../errors.js";
import { requireCanary, withCanary } from "../canary/with-canary.js";
import { lookAtCluster, type OperationContext, refOf } from "../context.js";
import { nodeNamed } from "../node-named.js";
import type { Operation, Run, Watched } from "../operation.js";
import { type PlanReport, planReport } from "../plan.js";
import { runOperation } from "../run-operation.js";
import { runSteps } from "../steps/step.js";
import { requireFree } from "./file-writer.js";
import { copyStep, type Saving, takeStep } from "./saving.js";
import { snapshotSource } from "./source.js";

/** What --skip can name: that no alarm stands against the node that takes it. */
export const saveChecks = ["alarm"] as const;
type SaveCheck = (typeof saveChecks)[number];

export interface SaveWish {
	/** Null: a caught-up follower. */
	readonly node: string | null;
	/** Null: `<cluster>-<index>.snapshot` in the working directory. */
	readonly file: string | null;
	readonly skip: readonly SaveCheck[];
	readonly workingDirectory: string;
}

export interface SaveReport {
	readonly operation: "snapshot save";
	readonly cluster: string;
	readonly file: string;
	readonly node: string;
	readonly index: number;
	readonly term: number;
	readonly bytes: number;
	/** Of the content, as the manifest has it. */
	readonly sha256: string;
	readonly durationMs: number;
}

/**
 * Has a node take a snapshot and copies it here, whole or not at all; a broken connection is taken up where it broke.
 * Changes nothing in the cluster, and needs no lock; only who leaves a check out takes it, as the journal has to know.
 */
export async function saveSnapshot(
	context: OperationContext,
	{ lockWaitMs, canary = {}, ...wish }: SaveWish & Watched,
): Promise<SaveReport> {
	if (wish.skip.length > 0) {
		const make = () => saveOperation(wish);
		const options = { lockWaitMs, canary };
		const report = await runOperation(context, make, options);
		if (report.file === undefined)
			throw new Error("invariant: saved, and no file");
		return { ...report, operation: "snapshot save" };
	}
	requireCanary(context, canary);
	return canary.wish
		? withCanary(context, { ...canary, isResumed: false }, (watched) =>
				saveNow(watched, wish),
			)
		: saveNow(context, wish);
}

/** What `saveSnapshot` would do now, or the refusal it would end with. Asks for no lock, and touches nothing. */
export async function planSave(
	context: OperationContext,
	wish: SaveWish,
): Promise<PlanReport> {
	const saving = newSaving(context, await sourceOf(context, wish));
	return planReport(context, "snapshot save", stepsOf(saving, wish));
}

async function saveNow(
	context: OperationContext,
	wish: SaveWish,
): Promise<SaveReport> {
	const { clock, signal } = context;
	const startedAt = clock.now();
	const saving = newSaving(context, await sourceOf(context, wish));
	await runSteps(context, stepsOf(saving, wish), signal);
	return {
		...{ operation: "snapshot save", cluster: context.inventory.name },
		...outcomeOf(saving, wish),
		durationMs: Math.round(clock.now() - startedAt),
	};
}

type Outcome = ReturnType<typeof outcomeOf>;
/** Of one that was given up. */
type Nothing = { readonly file?: never };

/** Killed, it lapses: the file is whole under its name, or not there. */
export function saveOperation(wish: SaveWish): Operation<Outcome | Nothing> {
	let saving: Saving | null = null;
	const savingOf = ({ context, memo }: Run) => {
		saving ??= newSaving(context, (memo as { readonly node: string }).node);
		return saving;
	};
	const { node, file, skip } = wish;
	return {
		...{ name: "snapshot save", arguments: wish, skip, lapses: true },
		text: [
			"snapshot save",
			...(node === null ? [] : [`--node ${node}`]),
			...(file === null ? [] : [`--file ${file}`]),
			...skip.map((check) => `--skip=${check}`),
		].join(" "),
		prepare: async (context) => ({ node: await sourceOf(context, wish) }),
		steps: async (run) => stepsOf(savingOf(run), wish),
		abortSteps: async () => [],
		// Given up, it has saved nothing.
		report: async (run) =>
			savingOf(run).snapshot === null ? {} : outcomeOf(savingOf(run), wish),
	};
}

async function sourceOf(
	context: OperationContext,
	{ node, file, skip, workingDirectory }: SaveWish,
): Promise<string> {
	if (node !== null) nodeNamed(context, node);
	if (file !== null) await requireFree(resolve(workingDirectory, file));
	const facts = await lookAtCluster(context, context.signal);
	const withAlarms = skip.includes("alarm");
	return snapshotSource(context, facts, { node, withAlarms });
}

function newSaving(context: OperationContext, source: string): Saving {
	return { context, source: refOf(nodeNamed(context, source)), snapshot: null };
}

function stepsOf(saving: Saving, wish: SaveWish) {
	const path = (snapshot: SnapshotSummary) => pathOf(saving, wish, snapshot);
	return [takeStep(saving), copyStep(saving, path)];
}

function outcomeOf(saving: Saving, wish: SaveWish) {
	const { snapshot, source } = saving;
	if (snapshot === null) throw new OperatorError("unexpected", "no snapshot");
	return {
		...{ file: pathOf(saving, wish, snapshot), node: source.id },
		...{ index: snapshot.index, term: snapshot.term },
		...{ bytes: snapshot.fileBytes, sha256: snapshot.sha256 },
	};
}

function pathOf(
	{ context }: Saving,
	{ workingDirectory, file }: SaveWish,
	{ index }: SnapshotSummary,
): string {
	const { name } = context.inventory;
	return resolve(workingDirectory, file ?? `${name}-${index}.snapshot`);
}
