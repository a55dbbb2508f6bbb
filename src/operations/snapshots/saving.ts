import type { NodeRef, SnapshotSummary } from "../../cluster/engine.js";
import { OperatorError } from "../../errors.js";
import {
	callOptions,
	commandFor,
	type OperationContext,
	pollIntervalMs,
} from "../context.js";
import { throwIfEnded } from "../interruption.js";
import type { Step } from "../steps/step.js";
import { isSilence } from "../wait.js";
import { createFile, type NewFile } from "./file-writer.js";

/** A large state takes its time; the node says nothing meanwhile. */
const takeTimeoutMs = 10 * 60_000;
const silenceMs = 10_000;
/** So often in a row without a new byte, and the node is given up. */
const maxVainAttempts = 5;

/** A snapshot on its way from `source` to this machine. */
export interface Saving {
	readonly context: OperationContext;
	readonly source: NodeRef;
	snapshot: SnapshotSummary | null;
}

export function takeStep(saving: Saving): Step {
	const { context, source } = saving;
	return {
		...{ id: `${source.id}/snapshot`, node: source.id, cost: "" },
		title: "take a snapshot",
		async run(signal) {
			const { index } = await context.engine.takeSnapshot(source, {
				...{ timeoutMs: takeTimeoutMs, signal },
			});
			saving.snapshot = await summaryAt(saving, index);
			return `at index ${index}, ${megabytes(saving.snapshot.fileBytes)}`;
		},
	};
}

async function summaryAt(
	{ context, source }: Saving,
	index: number,
): Promise<SnapshotSummary> {
	const all = await context.engine.snapshots(
		source,
		callOptions(context.signal),
	);
	const found = all.find((one) => one.index === index);
	if (found !== undefined) return found;
	throw new OperatorError(
		"refused",
		`${source.id} has no snapshot at index ${index} any more`,
		{
			node: source.id,
			state: "nothing was saved",
			next: commandFor(context, "snapshot save"),
		},
	);
}

export function copyStep(
	saving: Saving,
	path: (snapshot: SnapshotSummary) => string,
): Step {
	const { source } = saving;
	return {
		...{ id: `${source.id}/copy`, node: source.id, cost: "" },
		title: "copy it here",
		async run(signal, progress) {
			const { snapshot } = saving;
			if (snapshot === null)
				throw new OperatorError("unexpected", "there is no snapshot to copy");
			const file = await createFile(path(snapshot));
			try {
				await copyAll(saving, snapshot, { file, signal, progress });
				await file.finish();
			} catch (error) {
				await file.discard();
				throw error;
			}
			return `to ${path(snapshot)}`;
		},
	};
}

interface Copy {
	readonly file: NewFile;
	readonly signal: AbortSignal;
	readonly progress: (note: string) => void;
}

async function copyAll(
	saving: Saving,
	snapshot: SnapshotSummary,
	copy: Copy,
): Promise<void> {
	const { clock } = saving.context;
	let vain = 0;
	while (copy.file.length < snapshot.fileBytes) {
		const before = copy.file.length;
		try {
			await copyOn(saving, snapshot, copy);
		} catch (error) {
			throwIfEnded(copy.signal);
			if (!isSilence(error)) throw error;
			vain = copy.file.length > before ? 0 : vain + 1;
			if (vain >= maxVainAttempts) throw error;
			copy.progress(`taken up again after: ${error.message}`);
			await clock.sleep(pollIntervalMs * 2 ** vain, copy.signal);
			// The file of an index may be another one by now: two halves of two files are none.
			const { id } = await summaryAt(saving, snapshot.index);
			if (id !== snapshot.id) throw replaced(saving.source, snapshot);
		}
	}
}

async function copyOn(
	{ context, source }: Saving,
	{ id, index, fileBytes }: SnapshotSummary,
	{ file, signal, progress }: Copy,
): Promise<void> {
	const { clock, engine } = context;
	let toldAt = clock.now();
	const wish = { index, id, offset: file.length };
	const options = { timeoutMs: silenceMs, signal };
	for await (const bytes of await engine.readSnapshot(source, wish, options)) {
		throwIfEnded(signal);
		await file.write(bytes);
		if (clock.now() - toldAt < 1_000) continue;
		toldAt = clock.now();
		progress(`${megabytes(file.length)} of ${megabytes(fileBytes)}`);
	}
	if (file.length > fileBytes)
		throw new OperatorError(
			"unexpected",
			`${source.id} sent more than the ${fileBytes} bytes of its snapshot`,
			{ node: source.id },
		);
}

function replaced(source: NodeRef, { index }: SnapshotSummary): OperatorError {
	return new OperatorError(
		"refused",
		`the snapshot of ${source.id} at index ${index} was replaced while it was copied`,
		{ node: source.id, state: "nothing was saved" },
	);
}

export function megabytes(bytes: number): string {
	return `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
}
