import { createHash } from "node:crypto";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import type { SnapshotManifest } from "../../storage/snapshots/snapshot-store.js";
import { defaultLimits } from "../engine/limits.js";
import { ReplicatedState } from "../engine/replicated-state.js";
import {
	type RestoredParts,
	SnapshotReader,
} from "../engine/state/restorer.js";
import type { SnapshotOnDisk } from "./snapshot-file.js";

/** The state that the file holds. Throws OperatorError "refused" when the file is damaged or the machine cannot read it. */
export async function loadState(
	file: SnapshotOnDisk,
	manifest: SnapshotManifest,
	machine: Machine,
): Promise<ReplicatedState> {
	const state = new ReplicatedState(machine, defaultLimits);
	const restorer = state.restorer(manifest.index);
	await restoring(file, async () => {
		for (const chunk of file.content(manifest)) await restorer.write(chunk);
		restorer.finish();
	});
	return state;
}

/** The same, in its parts, to be put together otherwise. */
export async function loadParts(
	file: SnapshotOnDisk,
	manifest: SnapshotManifest,
	machine: Machine,
): Promise<RestoredParts> {
	const reader = new SnapshotReader(manifest.index, machine);
	return await restoring(file, async () => {
		for (const chunk of file.content(manifest)) await reader.write(chunk);
		return reader.finish();
	});
}

/** Equal states have equal digests: SHA-256, in hexadecimal, of all that a snapshot of it holds (docs/formats.md). */
export function stateDigest(state: ReplicatedState): string {
	const hash = createHash("sha256");
	const { chunks } = state.snapshot();
	for (let next = chunks.next(); !next.done; next = chunks.next())
		hash.update(next.value);
	return hash.digest("hex");
}

async function restoring<Result>(
	{ path }: SnapshotOnDisk,
	work: () => Promise<Result>,
): Promise<Result> {
	try {
		return await work();
	} catch (cause) {
		if (cause instanceof OperatorError) throw cause;
		throw new OperatorError(
			"refused",
			`${path} is whole, but the machine cannot restore it: ${reasonOf(cause)}`,
			{
				state: "nothing was changed",
				next: "use the release that wrote the file; raftd snapshot inspect names it",
				cause,
			},
		);
	}
}
