import {
	isPartial,
	isSnapshot,
	isTemporary,
} from "../../storage/snapshots/place.js";
import type { SnapshotManifest } from "../../storage/snapshots/snapshot-store.js";
import { newestFirst } from "../../storage/snapshots/stock.js";
import { verifySnapshotFile } from "../../storage/snapshots/verify.js";
import type { DataDirectory } from "./data-directory.js";
import type { SnapshotReport } from "./report.js";

/** A snapshot that a start passes over, and why. */
export interface UnusableSnapshot {
	readonly file: string;
	readonly index: number | null;
	readonly isLater: boolean;
	readonly faults: readonly {
		readonly offset: number;
		readonly what: string;
	}[];
}

export interface ExaminedSnapshots {
	readonly reports: readonly SnapshotReport[];
	/** Newest first: those that a start may use, if they are of its machine. */
	readonly usable: readonly UsableSnapshot[];
	readonly unusable: readonly UnusableSnapshot[];
	readonly notes: readonly string[];
}

export interface UsableSnapshot {
	readonly file: string;
	readonly manifest: SnapshotManifest;
}

/** Of those that one file may have, so many are told. */
const shownFaults = 5;

/** Reads every snapshot from its first byte to its last. `clusterId`: null when it is not known whose they are. */
export function examineSnapshots(
	{ disk, snapshots }: DataDirectory,
	clusterId: string | null,
): ExaminedSnapshots {
	const names = disk.list(snapshots).sort().reverse();
	const reports: SnapshotReport[] = [];
	const usable: UsableSnapshot[] = [];
	const unusable: UnusableSnapshot[] = [];
	for (const name of names.filter(isSnapshot)) {
		const file = `${snapshots}/${name}`;
		const { manifest, problems } = verifySnapshotFile(file, disk);
		const foreign =
			manifest === null ||
			manifest.clusterId === (clusterId ?? manifest.clusterId)
				? []
				: [{ offset: 0, what: `it is of cluster ${manifest.clusterId}` }];
		const faults = [...foreign, ...problems].slice(0, shownFaults);
		const isLater = problems[0]?.offset === versionOffset;
		if (manifest !== null && faults.length === 0)
			usable.push({ file, manifest });
		else
			unusable.push({ file, index: manifest?.index ?? null, isLater, faults });
		const state = isLater ? "later-release" : "unusable";
		reports.push({
			file,
			state: faults.length === 0 ? "ok" : state,
			manifest: manifest === null ? null : shownOf(manifest),
		});
	}
	const order = newestFirst(usable.map(({ manifest }) => manifest));
	usable.sort((a, b) => order.indexOf(a.manifest) - order.indexOf(b.manifest));
	return { reports, usable, unusable, notes: notesOn(snapshots, names) };
}

/** The only fault that is told there is another format (docs/formats.md). */
const versionOffset = 8;

function shownOf(manifest: SnapshotManifest): SnapshotReport["manifest"] {
	const { index, term, machine, level, release, createdAtMs, fileBytes } =
		manifest;
	return { index, term, machine, level, release, createdAtMs, fileBytes };
}

function notesOn(directory: string, names: readonly string[]): string[] {
	const begun = names.filter(isTemporary);
	const partial = names.filter(isPartial);
	return [
		...(begun.length === 0
			? []
			: [`the next start removes from ${directory}: ${begun.join(", ")}`]),
		...partial.map(
			(name) =>
				`${directory}/${name} was received in part; the node goes on with it when it is offered again`,
		),
	];
}
