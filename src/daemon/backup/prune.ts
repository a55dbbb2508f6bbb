import { join } from "node:path";
import type { Disk } from "../../storage/disk.js";
import { layoutOf } from "../../storage/snapshots/format.js";
import {
	readDescription,
	readHeader,
	readTrailer,
} from "../../storage/snapshots/inspect.js";
import { type CopyOwner, copyIndex, expendable, partOf } from "./copy-names.js";

interface PruneOptions {
	readonly disk: Disk;
	readonly directory: string;
	readonly owner: CopyOwner;
	readonly keep: number;
	/** The index of the copy that was just made, and checked. */
	readonly made: number;
}

/**
 * Removes this cluster's copies but the newest `keep`, and returns their names; also what nobody will end. A file counts, and goes, only when its
 * name and what it says of itself are both this cluster's: all others are left alone, damaged ones too. Throws the
 * disk's error.
 */
export function prune(options: PruneOptions): string[] {
	const { disk, directory, owner, keep, made } = options;
	const names = disk.list(directory);
	const copies = names.flatMap((name) => {
		const index = copyIndex(owner, name);
		if (index === null) return [];
		return ownCopy(disk, directory, name, owner) === "own"
			? [{ index, name }]
			: [];
	});
	const removed = expendable(copies, keep, made).map(({ name }) => name);
	// Begun by a leader that is none any more: what it was to become is older than what is there.
	const leftBehind = names.filter(
		(name) => (partOf(owner, name)?.index ?? made) < made,
	);
	for (const name of [...removed, ...leftBehind])
		disk.remove(join(directory, name));
	if (removed.length + leftBehind.length > 0) disk.syncDirectory(directory);
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
