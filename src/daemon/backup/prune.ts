import { join } from "node:path";
import type { Disk } from "../../storage/disk.js";
import { layoutOf } from "../../storage/snapshots/format.js";
import {
	readDescription,
	readHeader,
	readTrailer,
} from "../../storage/snapshots/inspect.js";
import { type CopyOwner, copyIndex, expendable } from "./copy-names.js";

interface PruneOptions {
	readonly disk: Disk;
	readonly directory: string;
	readonly owner: CopyOwner;
	readonly keep: number;
	/** The index of the copy that was just made, and checked. */
	readonly made: number;
}

/**
 * Removes this cluster's copies but the newest `keep`, and returns their names. A file counts, and goes, only when its
 * name and what it says of itself are both this cluster's: all others are left alone, damaged ones too. Throws the
 * disk's error.
 */
export function prune(options: PruneOptions): string[] {
	const { disk, directory, owner, keep, made } = options;
	const copies = disk.list(directory).flatMap((name) => {
		const index = copyIndex(owner, name);
		if (index === null) return [];
		return ownCopy(disk, directory, name, owner) === "own"
			? [{ index, name }]
			: [];
	});
	const removed = expendable(copies, keep, made).map(({ name }) => name);
	for (const name of removed) disk.remove(join(directory, name));
	if (removed.length > 0) disk.syncDirectory(directory);
	return removed;
}

/** Whose a file with the name of a copy is, by its header and trailer; null when these are damaged. */
export function ownCopy(
	disk: Disk,
	directory: string,
	name: string,
	owner: CopyOwner,
): "own" | "foreign" | null {
	try {
		const file = disk.openReadOnly(join(directory, name));
		try {
			const header = readHeader(file);
			const { clusterId, index } = readDescription(file, header);
			if (clusterId !== owner.clusterId) return "foreign";
			readTrailer(file, header, layoutOf(header, file.size()));
			return index === copyIndex(owner, name) ? "own" : "foreign";
		} finally {
			file.close();
		}
	} catch {
		return null;
	}
}
