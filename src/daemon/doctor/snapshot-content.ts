import { OperatorError } from "../../errors.js";
import { FileReader } from "../../storage/snapshots/file-reader.js";
import { SnapshotProblem } from "../../storage/snapshots/problem.js";
import type { DataDirectory } from "./data-directory.js";
import type { UsableSnapshot } from "./examine-snapshots.js";

/** The content of a snapshot in chunks, each checked and in memory of its own. */
export function* contentOf(
	{ disk }: Pick<DataDirectory, "disk">,
	{ file: path, manifest }: UsableSnapshot,
): Generator<Uint8Array> {
	const file = disk.open(path);
	try {
		const reader = new FileReader(file, manifest);
		for (;;) {
			const chunk = reader.next();
			if (chunk === null) return;
			yield chunk;
		}
	} catch (cause) {
		if (!(cause instanceof SnapshotProblem)) throw cause;
		throw new OperatorError(
			"unexpected",
			`a snapshot cannot be read: ${cause.what}, in ${path} at offset ${cause.offset}`,
			{ state: "nothing was changed", next: "raftd doctor", cause },
		);
	} finally {
		file.close();
	}
}
