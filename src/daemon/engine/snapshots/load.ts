import { OperatorError, reasonOf } from "../../../errors.js";
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
 * damaged is passed over: the one before it, and the log since, are as good. Rejects with OperatorError "refused" for
 * one that is whole and not for this release or machine: what was before it would be no better.
 */
export async function loadNewest(
	store: SnapshotStore,
	state: ReplicatedState,
	own: {
		readonly node: string;
		readonly machine: string;
		readonly diagnose: Diagnose;
	},
): Promise<SnapshotPoint | null> {
	for (const manifest of store.list()) {
		refuseOtherMachine(manifest, own);
		try {
			await loadSnapshot(store, manifest.index, state);
			return pointOf(manifest);
		} catch (error) {
			if (error instanceof OperatorError && error.kind === "refused")
				throw error;
			own.diagnose("error", "a snapshot cannot be used", {
				index: manifest.index,
				reason: reasonOf(error),
			});
		}
	}
	return null;
}

/** The log does not name the machine: without the snapshot its commands would be given to the wrong one. */
function refuseOtherMachine(
	{ machine, index }: SnapshotManifest,
	own: { readonly node: string; readonly machine: string },
): void {
	if (machine === own.machine) return;
	throw new OperatorError(
		"refused",
		`the snapshot at index ${index} is of machine ${machine}, this node runs ${own.machine}`,
		{
			node: own.node,
			state: "the node has not started and nothing was changed",
			next: "set app in the node's configuration to the cluster's machine, or data to this node's own directory",
		},
	);
}
