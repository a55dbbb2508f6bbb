import { randomBytes } from "node:crypto";
import { existsSync, rmSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Disk } from "../../storage/disk.js";
import { isFull } from "../../storage/next-segment.js";
import { realDisk } from "../../storage/real-disk.js";
import { FileWriter } from "../../storage/snapshots/file-writer.js";
import { defaultChunkBytes, idBytes } from "../../storage/snapshots/format.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "../../storage/snapshots/snapshot-store.js";

/** Throws OperatorError "refused": nothing that is there is written over. */
export function requireFree(path: string): void {
	if (!existsSync(path)) return;
	throw new OperatorError("refused", `${resolve(path)} is there already`, {
		state: "nothing was changed",
		next: "give another name, or move the file away",
	});
}

/**
 * Writes a snapshot as the file `path`: as `<path>.part` first, synced, renamed, directory synced, so that the name means
 * a whole file (P15). What an earlier try left half made is dropped. Throws an OperatorError; then there is no file.
 */
export function writeSnapshotFile(
	path: string,
	description: SnapshotDescription,
	chunks: Iterator<Uint8Array>,
	disk: Disk = realDisk,
): SnapshotManifest {
	const [directory, name] = [dirname(resolve(path)), basename(path)];
	const temporary = `${name}.part`;
	return writing(path, () => {
		rmSync(`${directory}/${temporary}`, { force: true });
		const writer = new FileWriter({
			place: { disk, directory, clusterId: description.clusterId, nodeId: "" },
			...{ description, id: randomBytes(idBytes) },
			chunkBytes: defaultChunkBytes,
			names: { temporary, whole: name },
		});
		try {
			for (let next = chunks.next(); !next.done; next = chunks.next())
				writer.write(next.value);
			return writer.finish();
		} catch (error) {
			writer.abort();
			throw error;
		}
	});
}

/** Runs `work`, which makes `path`; what the disk says becomes a sentence for people. */
export function writing<Result>(path: string, work: () => Result): Result {
	try {
		return work();
	} catch (error) {
		throw notWritten(path, error);
	}
}

export function notWritten(path: string, error: unknown): unknown {
	// A snapshot of a running node tells what the node does next; here there is no node.
	const cause = error instanceof OperatorError ? error.cause : error;
	if ((cause as NodeJS.ErrnoException | undefined)?.code === undefined)
		return error;
	const full = isFull(cause);
	return new OperatorError(
		full ? "refused" : "unexpected",
		full
			? `the disk is full: no room for ${resolve(path)}`
			: `${resolve(path)} could not be written: ${reasonOf(cause)}`,
		{
			state: "nothing of it is left",
			next: full
				? "free some space, or give another place, and try again"
				: "check the path, its permissions and the disk, and try again",
			cause: error,
		},
	);
}
