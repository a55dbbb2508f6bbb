import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Inventory } from "../../config/inventory.js";
import { OperatorError, reasonOf } from "../../errors.js";
import type { FileManifest } from "../recover/raftd-files.js";
import { type LocalRaftd, reportOnFile } from "./offline.js";

interface PruneWish {
	/** Absolute, on this machine. */
	readonly directory: string;
	/** So many stay, the newest; at least 1. */
	readonly keep: number;
	readonly dryRun: boolean;
	/** Asked with what would be removed. Ends it by throwing. */
	readonly confirm: (removed: readonly SnapshotFile[]) => Promise<void>;
}

export interface SnapshotFile {
	readonly file: string;
	readonly index: number;
	readonly bytes: number;
	readonly createdAtMs: number;
}

export interface PruneReport {
	readonly operation: "snapshot prune";
	readonly cluster: string;
	readonly directory: string;
	readonly dryRun: boolean;
	readonly kept: readonly SnapshotFile[];
	/** Or what would be, with `dryRun`. */
	readonly removed: readonly SnapshotFile[];
	/** Snapshots by their names that are not this cluster's, or cannot be read; with why. They stay. */
	readonly passedOver: readonly {
		readonly file: string;
		readonly why: string;
	}[];
}

/**
 * Removes the older snapshots of this cluster from a directory of this machine; whatever else is there stays. Only whole
 * files of the cluster's present id count, so that a restored cluster never removes what it came from.
 */
export async function pruneSnapshots(
	raftd: LocalRaftd,
	{ id, name }: Pick<Inventory, "id" | "name">,
	{ directory, keep, dryRun, confirm }: PruneWish,
): Promise<PruneReport> {
	const found: SnapshotFile[] = [];
	const passedOver: PruneReport["passedOver"][number][] = [];
	for (const file of await snapshotNames(directory)) {
		raftd.signal.throwIfAborted();
		const manifest = await manifestIn(raftd, file);
		if (typeof manifest === "string") passedOver.push({ file, why: manifest });
		else if (manifest.clusterId !== id)
			passedOver.push({ file, why: `it is of ${manifest.clusterId}` });
		else found.push(shown(file, manifest));
	}
	found.sort((a, b) => b.index - a.index || b.createdAtMs - a.createdAtMs);
	const removed = found.slice(keep);
	if (!dryRun && removed.length > 0) {
		await confirm(removed);
		for (const { file } of removed) await rm(file);
	}
	return {
		...{ operation: "snapshot prune", cluster: name, directory, dryRun },
		...{ kept: found.slice(0, keep), removed, passedOver },
	};
}

async function snapshotNames(directory: string): Promise<readonly string[]> {
	try {
		const entries = await readdir(directory, { withFileTypes: true });
		return entries
			.filter((entry) => entry.isFile() && entry.name.endsWith(".snapshot"))
			.map((entry) => join(directory, entry.name));
	} catch (cause) {
		throw new OperatorError(
			"usage",
			`${directory} cannot be looked into: ${reasonOf(cause)}`,
			{ state: "nothing was removed", cause },
		);
	}
}

async function manifestIn(
	raftd: LocalRaftd,
	file: string,
): Promise<FileManifest | string> {
	try {
		const wish = { word: "inspect", file, app: null } as const;
		const { report } = await reportOnFile(raftd, wish);
		return (report as { readonly manifest: FileManifest }).manifest;
	} catch (error) {
		raftd.signal.throwIfAborted();
		if (error instanceof OperatorError) return error.message;
		throw error;
	}
}

function shown(file: string, manifest: FileManifest): SnapshotFile {
	const { index, fileBytes, createdAtMs } = manifest;
	return { file, index, bytes: fileBytes, createdAtMs };
}
