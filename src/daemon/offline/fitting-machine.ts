import { OperatorError } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import type { SnapshotManifest } from "../../storage/snapshots/snapshot-store.js";

/**
 * Throws OperatorError "refused" unless `machine`, as this release has it, is the one to read the snapshot: it must not
 * even see bytes that another one wrote (P61).
 */
export function requireFitting(
	path: string,
	manifest: SnapshotManifest,
	machine: Machine,
): void {
	const { level, release } = manifest;
	if (manifest.machine !== machine.name)
		throw refusal(
			`${path} is of machine ${manifest.machine}, and not of ${machine.name}`,
			`give the module of machine ${manifest.machine} with --app FILE, as of release ${release} or later`,
		);
	const [oldest, newest] = machine.levels.reads;
	if (level >= oldest && level <= newest) return;
	const needed = level > newest ? `${release}, or a later one` : release;
	throw refusal(
		`${path} is of level ${level}; this release of machine ${machine.name} reads levels ${oldest} to ${newest}`,
		`use release ${needed}: it wrote the file`,
	);
}

function refusal(message: string, next: string): OperatorError {
	return new OperatorError("refused", message, {
		state: "nothing was changed",
		next,
	});
}
