import { OperatorError, reasonOf } from "../../errors.js";
import { isDirectoryError } from "../disk.js";
import { inspectSnapshot, readDescription, readHeader } from "./inspect.js";
import {
	isPartial,
	isSnapshot,
	isTemporary,
	type SnapshotPlace,
} from "./place.js";
import { SnapshotProblem, unreadable } from "./problem.js";
import type { SnapshotManifest } from "./snapshot-store.js";

/** The snapshots in the directory, newest first, and a sentence for each file that cannot be used. Changes nothing. */
export function takeStock(place: SnapshotPlace): {
	readonly found: SnapshotManifest[];
	readonly problems: string[];
} {
	const { disk, directory, clusterId } = place;
	const problems: string[] = [];
	const found: SnapshotManifest[] = [];
	for (const name of disk.list(directory).filter(isSnapshot).sort()) {
		try {
			found.push(inspectSnapshot(disk, directory, name, { clusterId }));
		} catch (error) {
			// What this user may not read is not damaged, and an older one must not take its place unseen.
			if (isForbidden(error)) throw error;
			const what =
				error instanceof SnapshotProblem ? error.what : unreadable(error);
			problems.push(
				`${directory}/${name} is left as it is and not used: ${what}`,
			);
		}
	}
	return { found: newestFirst(found), problems };
}

/** Of those at one index, the one that was made last. */
export function newestFirst(
	manifests: readonly SnapshotManifest[],
): SnapshotManifest[] {
	return [...manifests].sort(
		(a, b) =>
			b.index - a.index ||
			b.createdAtMs - a.createdAtMs ||
			(a.id < b.id ? 1 : -1),
	);
}

/** Removes what was begun and not finished, and says so. */
export function removeTemporary(place: SnapshotPlace): string[] {
	const { disk, directory } = place;
	const names = disk.list(directory).filter(isTemporary);
	removeFiles(place, names);
	return names.map(
		(name) => `${directory}/${name} was never finished and is removed`,
	);
}

/** Names of what is half received and stands for nothing newer than `index`. */
export function partialsUpTo(place: SnapshotPlace, index: number): string[] {
	const { disk, directory } = place;
	return disk
		.list(directory)
		.filter(isPartial)
		.filter((name) => partialIndex(place, name) <= index);
}

/** 0 when the file does not say. */
function partialIndex({ disk, directory }: SnapshotPlace, name: string) {
	try {
		const file = disk.open(`${directory}/${name}`);
		try {
			return readDescription(file, readHeader(file)).index;
		} finally {
			file.close();
		}
	} catch (error) {
		// What is no file cannot be removed as one.
		return isDirectoryError(error) ? Number.POSITIVE_INFINITY : 0;
	}
}

/** Durable on return, in this order. A file that is gone already is no failure. */
export function removeFiles(
	{ disk, directory, nodeId }: SnapshotPlace,
	names: readonly string[],
): void {
	if (names.length === 0) return;
	try {
		for (const name of names)
			ignoreMissing(() => disk.remove(`${directory}/${name}`));
		disk.syncDirectory(directory);
	} catch (cause) {
		if (isDirectoryError(cause)) throw cause;
		throw new OperatorError(
			"unexpected",
			`an old snapshot could not be removed from ${directory}: ${reasonOf(cause)}`,
			{
				node: nodeId,
				state: "the newest snapshot and the log are whole",
				next: "check the disk",
				cause,
			},
		);
	}
}

export function isMissing(error: unknown): boolean {
	return (error as NodeJS.ErrnoException).code === "ENOENT";
}

function isForbidden(error: unknown): boolean {
	const { code } = error as NodeJS.ErrnoException;
	return code === "EACCES" || code === "EPERM";
}

function ignoreMissing(action: () => void): void {
	try {
		action();
	} catch (error) {
		if (!isMissing(error)) throw error;
	}
}
