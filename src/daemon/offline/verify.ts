import { mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { OperatorError } from "../../errors.js";
import type { Machine } from "../../machines/machine.js";
import type { Disk } from "../../storage/disk.js";
import { realDisk } from "../../storage/real-disk.js";
import type { SnapshotManifest } from "../../storage/snapshots/snapshot-store.js";
import { verifySnapshotFile } from "../../storage/snapshots/verify.js";
import { readingDisk } from "../doctor/data-directory.js";
import { differingParts, partDigests } from "../doctor/state-parts.js";
import type { ReplicatedState } from "../engine/replicated-state.js";
import { notWritten, writeSnapshotFile } from "./file-out.js";
import { requireFitting } from "./fitting-machine.js";
import { type FileProblem, SnapshotOnDisk } from "./snapshot-file.js";
import { loadState, stateDigest } from "./state-copies.js";

/** What the drill came to: the file restored, saved again, and that restored, too. */
export interface Drill {
	/** Of the state that the file holds, and of the one that its copy holds. */
	readonly digest: string;
	readonly copyDigest: string;
	/** The copy's content is the file's, byte for byte. */
	readonly sameBytes: boolean;
	/** Names of the parts of the state that the copy did not bring back; none when all is well. */
	readonly differing: readonly string[];
}

/** What `raftd snapshot verify --json` prints (docs/raftd.md). */
export interface VerifyReport {
	readonly version: 1;
	/** Absolute. */
	readonly file: string;
	readonly ok: boolean;
	/** Null when the file does not say. */
	readonly manifest: SnapshotManifest | null;
	readonly problems: readonly FileProblem[];
	/** Null for a damaged file: nothing of it was given to the machine for good. */
	readonly drill: Drill | null;
	/** Worth knowing, and no problem. */
	readonly notes: readonly string[];
	readonly durationMs: number;
}

/**
 * Checks every byte of the file, then restores it, saves what came of it to a scratch file, restores that, and compares
 * the two states: only a restore proves a snapshot. One state at a time is in memory. Throws OperatorError "refused" for
 * a file of another machine, or of a level that this release does not read.
 */
export async function verifySnapshot(
	path: string,
	options: {
		readonly machine: Machine;
		/** The machine comes with this release, so that equal releases mean equal machines. */
		readonly isBundled: boolean;
		readonly release: string;
		/** A directory with room for a copy. */
		readonly scratch: string;
	},
): Promise<VerifyReport> {
	const sinceMs = performance.now();
	const file = new SnapshotOnDisk(path);
	const found = await examined(file, options);
	const manifest = found.manifest;
	const drill = found.drill;
	const notes =
		drill === null || manifest === null || drill.sameBytes
			? []
			: [otherBytes(manifest, options.release)];
	const isOwn = options.isBundled && manifest?.release === options.release;
	const isProven =
		drill !== null &&
		drill.digest === drill.copyDigest &&
		(drill.sameBytes || !isOwn);
	return {
		...{ version: 1, file: file.path, ok: isProven },
		...{ manifest, problems: found.problems, drill, notes },
		durationMs: Math.round(performance.now() - sinceMs),
	};
}

async function examined(
	file: SnapshotOnDisk,
	options: { readonly machine: Machine; readonly scratch: string },
): Promise<Pick<VerifyReport, "manifest" | "problems" | "drill">> {
	let loaded = false;
	try {
		const manifest = file.manifest();
		requireFitting(file.path, manifest, options.machine);
		const state = await loadState(file, manifest, options.machine);
		loaded = true;
		const drill = await drilled(file, manifest, { ...options, state });
		return { manifest, problems: [], drill };
	} catch (error) {
		if (loaded) throw error;
		// All that is wrong with it, where loading it stopped at the first fault; nothing when it is no damage.
		const { manifest, problems } = verifySnapshotFile(file.path, readingDisk);
		if (problems.length === 0 || isNoFile(error)) throw error;
		return { manifest, problems, drill: null };
	}
}

function isNoFile(error: unknown): boolean {
	return error instanceof OperatorError && error.kind === "usage";
}

async function drilled(
	file: SnapshotOnDisk,
	manifest: SnapshotManifest,
	{
		machine,
		scratch,
		state,
	}: {
		readonly machine: Machine;
		readonly scratch: string;
		readonly state: ReplicatedState;
	},
): Promise<Drill> {
	const directory = scratchIn(scratch);
	try {
		const path = join(directory, "copy.snapshot");
		const copy = writeSnapshotFile(
			path,
			manifest,
			state.snapshot().chunks,
			scratchDisk,
		);
		const again = await loadState(new SnapshotOnDisk(path), copy, machine);
		const copyDigest = stateDigest(again);
		const differing =
			copyDigest === copy.sha256
				? []
				: differingParts(
						partDigests(await loadState(file, manifest, machine)),
						partDigests(again),
					);
		return {
			...{ digest: copy.sha256, copyDigest, differing },
			sameBytes: copy.sha256 === manifest.sha256,
		};
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
}

function scratchIn(directory: string): string {
	try {
		return mkdtempSync(join(resolve(directory), "raftd-verify-"));
	} catch (error) {
		throw notWritten(directory, error);
	}
}

/** Nobody needs the copy after a crash. */
const scratchDisk: Disk = {
	...realDisk,
	create: (path) => Object.assign(realDisk.create(path), { sync: () => {} }),
	syncDirectory: () => {},
};

function otherBytes(manifest: SnapshotManifest, release: string): string {
	return `saved again, the state has other bytes than the file: so it may be when another release of the machine wrote it (the file: raftd ${manifest.release}, this: ${release}); else the machine does not bring back all that it saved`;
}
