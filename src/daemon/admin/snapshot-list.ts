import type {
	SnapshotManifest,
	SnapshotStore,
} from "../../storage/snapshots/snapshot-store.js";

/** A node's snapshots as the admin port shows them: which there are, and their files. */
export type ShownSnapshots = Pick<SnapshotStore, "list" | "open">;

/** What `GET /snapshots` says of each, newest first; the same as the rpc ListSnapshots. */
export interface ShownSnapshot {
	readonly index: number;
	readonly term: number;
	readonly id: string;
	readonly fileBytes: number;
	readonly sha256: string;
	readonly level: number;
	readonly release: string;
	readonly machine: string;
	readonly createdAtMs: number;
}

export function shownSnapshots(snapshots: ShownSnapshots): ShownSnapshot[] {
	return snapshots.list().map(shownSnapshot);
}

function shownSnapshot(manifest: SnapshotManifest): ShownSnapshot {
	const { index, term, id, fileBytes, sha256 } = manifest;
	const { level, release, machine, createdAtMs } = manifest;
	return {
		...{ index, term, id, fileBytes, sha256 },
		...{ level, release, machine, createdAtMs },
	};
}

/** The answer to the rpc ListSnapshots. */
export function listSnapshots(snapshots: ShownSnapshots) {
	return {
		snapshots: shownSnapshots(snapshots).map((shown) => ({
			...shown,
			index: BigInt(shown.index),
			term: BigInt(shown.term),
			fileBytes: BigInt(shown.fileBytes),
		})),
	};
}
