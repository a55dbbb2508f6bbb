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

/** What the drill came to: the file restored, and saved again. */
export interface Drill {
	/** Of the state that the file brings back: SHA-256 of all that a snapshot of it holds. */
	readonly digest: string;
	/** It is the SHA-256 of the file's content: what comes of the file is the file, byte for byte. */
	readonly matchesFile: boolean;
	/** Null where it matches: another restore would be one of the same bytes. Else what was saved is restored, too. */
	readonly copy: {
		readonly digest: string;
		/** Names of the parts of the state that the copy did not bring back; none when all is well. */
		readonly differing: readonly string[];
	} | null;
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
 * Checks every byte of the file, restores it, and compares the state with what the file's SHA-256 says it was: only a
 * restore proves a snapshot. Where the bytes of equal states may differ, as another release wrote the file, the state is
 * saved to a scratch file, that one is restored, and the two are compared. One state at a time is in memory. Throws
 * OperatorError "refused" for a file of another machine, or of a level that this release does not read.
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
	const { manifest, problems, drill } = await examined(file, options);
	const isOwn = options.isBundled && manifest?.release === options.release;
	const notes =
		drill === null || manifest === null || drill.matchesFile
			? []
			: [otherBytes(manifest, options.release)];
	return {
		...{
			version: 1,
			file: file.path,
			ok: drill !== null && isGood(drill, isOwn),
		},
		...{ manifest, problems, drill, notes },
		durationMs: Math.round(performance.now() - sinceMs),
	};
}

/** The very machine that wrote the file writes the same bytes again, or has lost something. */
function isGood({ digest, matchesFile, copy }: Drill, isOwn: boolean): boolean {
	return matchesFile || (!isOwn && copy?.digest === digest);
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
	made: {
		readonly machine: Machine;
		readonly scratch: string;
		readonly state: ReplicatedState;
	},
): Promise<Drill> {
	const digest = stateDigest(made.state);
	const matchesFile = digest === manifest.sha256;
	const copy = matchesFile ? null : await copied(file, manifest, made);
	return { digest, matchesFile, copy };
}

async function copied(
	file: SnapshotOnDisk,
	manifest: SnapshotManifest,
	made: {
		readonly machine: Machine;
		readonly scratch: string;
		readonly state: ReplicatedState;
	},
): Promise<Drill["copy"]> {
	const { machine, scratch, state } = made;
	const directory = scratchIn(scratch);
	try {
		const path = join(directory, "copy.snapshot");
		const { chunks } = state.snapshot();
		const copy = writeSnapshotFile(path, manifest, chunks, scratchDisk);
		const again = await loadState(new SnapshotOnDisk(path), copy, machine);
		const digest = stateDigest(again);
		if (digest === copy.sha256) return { digest, differing: [] };
		const before = partDigests(await loadState(file, manifest, machine));
		return { digest, differing: differingParts(before, partDigests(again)) };
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
