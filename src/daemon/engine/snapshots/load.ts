import { reasonOf } from "../../../errors.js";
import type { SnapshotPoint } from "../../../raft/types.js";
import type {
	SnapshotManifest,
	SnapshotStore,
} from "../../../storage/snapshots/snapshot-store.js";
import type { Diagnose } from "../../peers/complaints.js";
import type { ReplicatedState } from "../replicated-state.js";

/** What a snapshot stands for. */
export function pointOf(manifest: SnapshotManifest): SnapshotPoint {
	const { index, term, configuration } = manifest;
	return { index, term, configuration };
}

/** Replaces `state` by the snapshot at `index`. Rejects when the file is damaged, or the machine cannot read it. */
export async function loadSnapshot(
	store: SnapshotStore,
	index: number,
	state: ReplicatedState,
): Promise<void> {
	const restorer = state.restorer(index);
	for await (const chunk of store.read(index)) await restorer.write(chunk);
	restorer.finish();
}

/**
 * Brings `state` to the newest snapshot that can be used, and says which that is; null when there is none. One that is
 * damaged is passed over with a warning: the one before it, and the log since, are as good.
 */
export async function loadNewest(
	store: SnapshotStore,
	state: ReplicatedState,
	diagnose: Diagnose,
): Promise<SnapshotPoint | null> {
	for (const manifest of store.list()) {
		try {
			await loadSnapshot(store, manifest.index, state);
			return pointOf(manifest);
		} catch (error) {
			diagnose("error", "a snapshot cannot be used", {
				index: manifest.index,
				reason: reasonOf(error),
			});
		}
	}
	return null;
}
