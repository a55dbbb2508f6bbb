import { accessSync, constants } from "node:fs";
import { resolve } from "node:path";
import { OperatorError } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import type { PlacedConfiguration } from "../../raft/types.js";
import { lockDirectory } from "../../storage/lock.js";
import type { SnapshotManifest } from "../../storage/snapshots/snapshot-store.js";
import { type DataDirectory, reading } from "../doctor/data-directory.js";
import { type Examination, examine } from "../doctor/examine.js";
import type { UsableSnapshot } from "../doctor/examine-snapshots.js";
import { defaultLimits } from "../engine/limits.js";
import { ReplicatedState } from "../engine/replicated-state.js";
import { requireFree, writeSnapshotFile } from "./file-out.js";
import { requireFitting } from "./fitting-machine.js";
import { type Holding, holdingOf } from "./holding.js";
import { SnapshotOnDisk } from "./snapshot-file.js";
import { loadState } from "./state-copies.js";

/** What `raftd snapshot export --json` prints (docs/raftd.md). */
export interface ExportReport {
	readonly version: 1;
	/** Absolute. */
	readonly directory: string;
	readonly file: string;
	readonly manifest: SnapshotManifest;
	/** The entries behind this index were executed: a snapshot's, or 0 for the whole log. */
	readonly appliedFrom: number;
	/** Up to here the node knew that everything was committed. */
	readonly committedIndex: number;
	/** False: entries behind that may never have been acknowledged, or others may have taken their place. */
	readonly isTailCommitted: boolean;
}

/**
 * Makes a snapshot's file of all that a data directory holds, up to the last entry of its log, known to be committed or
 * not: after a majority was lost, the best survivor's last entries may be all that is left of acknowledged writes. The
 * directory is not changed. Throws OperatorError "locked" when a node holds it, "refused" when it is damaged.
 */
export async function exportDirectory(
	directory: DataDirectory,
	options: {
		readonly out: string;
		readonly machine: Machine;
		readonly release: string;
	},
): Promise<ExportReport> {
	requireFree(options.out);
	const release = await held(directory);
	try {
		const examination = await examine({ ...directory, holder: null });
		const holding = wholeHolding(examination);
		return await reading(directory.path, async () => {
			const { state, from } = await stateAtEnd(
				{ directory, examination, holding },
				options.machine,
			);
			return written(directory, { ...options, holding, state, from });
		});
	} finally {
		await release();
	}
}

/** Keeps a node from starting meanwhile; where nothing may be written, nobody can start. */
async function held({ path, holder }: DataDirectory) {
	if (holder !== null)
		throw new OperatorError("locked", `${path} is in use by ${holder}`, {
			state: "nothing was changed",
			next: "stop the node and give the command again",
		});
	if (!isWritable(path)) return async () => undefined;
	const lock = await lockDirectory(path);
	return () => lock.release();
}

function isWritable(path: string): boolean {
	try {
		accessSync(path, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}

/** Throws for a directory that lacks anything it once held. */
function wholeHolding(examination: Examination): Holding {
	const { report } = examination;
	const holding = holdingOf(examination);
	const isWhole =
		report.verdict === "healthy" || report.verdict === "repairable";
	if (isWhole && holding !== null) return holding;
	throw new OperatorError(
		"refused",
		isWhole
			? `${report.directory} holds no entry and no snapshot`
			: `${report.directory} is damaged, or of a later release: what it holds cannot be told for certain`,
		{
			problems: report.problems.map(({ file, what }) => `${file}: ${what}`),
			state: "nothing was changed, and no file was made",
			next: `raftd doctor --data-dir ${report.directory}; take another node's directory`,
		},
	);
}

async function stateAtEnd(
	{
		directory,
		examination,
		holding,
	}: {
		readonly directory: DataDirectory;
		readonly examination: Examination;
		readonly holding: Holding;
	},
	machine: Machine,
): Promise<{ readonly state: ReplicatedState; readonly from: number }> {
	const { snapshot } = holding;
	const state =
		snapshot === null
			? new ReplicatedState(machine, defaultLimits)
			: await stateIn(directory, snapshot, machine);
	const from = state.applied;
	for (const entry of examination.log?.entries(from + 1, holding.lastIndex) ??
		[]) {
		if (state.apply(entry) !== null) continue;
		throw new OperatorError("refused", state.failure ?? "", {
			state: "nothing was changed, and no file was made",
			next: "use the release of raftd, and of the machine (--app FILE), that the node ran",
		});
	}
	return { state, from };
}

function stateIn(
	{ disk }: DataDirectory,
	{ file, manifest }: UsableSnapshot,
	machine: Machine,
): Promise<ReplicatedState> {
	requireFitting(file, manifest, machine);
	return loadState(new SnapshotOnDisk(file, disk), manifest, machine);
}

function written(
	directory: DataDirectory,
	made: {
		readonly out: string;
		readonly machine: Machine;
		readonly release: string;
		readonly holding: Holding;
		readonly state: ReplicatedState;
		readonly from: number;
	},
): ExportReport {
	const { out, machine, holding, state } = made;
	const { index, chunks } = state.snapshot();
	const configuration: PlacedConfiguration = holding.configuration;
	const manifest = writeSnapshotFile(
		out,
		{
			...{ clusterId: holding.identity.clusterId, index, configuration },
			...{ term: holding.lastTerm, machine: machine.name },
			...{ level: state.writeLevel, release: made.release },
			createdAtMs: Date.now(),
		},
		chunks,
	);
	return {
		...{ version: 1, directory: directory.path, file: resolve(out), manifest },
		...{ appliedFrom: made.from, committedIndex: holding.commit },
		isTailCommitted: holding.commit >= index,
	};
}
