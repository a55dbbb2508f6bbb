import type {
	PruneReport,
	SnapshotFile,
} from "../operations/snapshots/prune.js";

export function removalQuestion(removed: readonly SnapshotFile[]): string {
	const names = removed.map(lineOf).join("\n  ");
	return `These go:\n  ${names}\nRemove ${removed.length} of them?`;
}

/** What went, what stays, and what was not counted. */
export function prunedText(report: PruneReport): string {
	const { removed, kept, passedOver, dryRun } = report;
	return [
		...removed.map(
			(one) => `${dryRun ? "would remove" : "removed"} ${lineOf(one)}`,
		),
		...kept.map((one) => `kept ${lineOf(one)}`),
		...passedOver.map(({ file, why }) => `passed over ${file}: ${why}`),
		`${removed.length} ${dryRun ? "would be removed" : "removed"}, ${kept.length} kept, ${passedOver.length} passed over`,
	].join("\n");
}

function lineOf({ file, index, bytes, createdAtMs }: SnapshotFile): string {
	const date = new Date(createdAtMs).toISOString().replace(/\.\d+Z$/, "Z");
	return `${file} (index ${index}, ${bytes} bytes, ${date})`;
}
