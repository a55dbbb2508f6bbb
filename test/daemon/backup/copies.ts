import type {
	CopyOrder,
	WorkContext,
} from "../../../src/daemon/backup/copy.js";
import type { CopyOwner } from "../../../src/daemon/backup/copy-names.js";
import type { Disk } from "../../../src/storage/disk.js";
import {
	contentOf,
	descriptionOf,
	openOn,
	pathOf,
	place,
	write,
} from "../../storage/snapshots/samples.js";

export const owner: CopyOwner = {
	cluster: "shop",
	clusterId: place.clusterId,
	node: "n1",
};

export const backups = "/backups";

/** Writes a node's own snapshot at `index`, and returns the order to copy it. */
export function snapshotAt(
	disk: Disk,
	index: number,
	changes: Partial<CopyOrder> = {},
): CopyOrder {
	const { snapshots } = openOn(disk);
	const manifest = write(
		snapshots,
		descriptionOf(index),
		contentOf(700, index),
	);
	return {
		...{ owner, index, source: pathOf(manifest), directory: backups, keep: 3 },
		maxBytesPerSecond: 1e12,
		...changes,
	};
}

export function contextOn(
	disk: Disk,
	signal = new AbortController().signal,
): WorkContext {
	return { disk, signal, onProgress: () => {} };
}
