import type { Disk } from "../../../src/storage/disk.js";
import {
	type DirectoryOptions,
	SnapshotDirectory,
} from "../../../src/storage/snapshots/directory.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "../../../src/storage/snapshots/snapshot-store.js";
import { DiskCrash, seededRandom } from "../../fakes/fake-disk.js";

export const place = {
	directory: "/data/snapshots",
	clusterId: "cluster",
	nodeId: "n1",
};

/** So small that a short content makes several chunks. */
export const chunkBytes = 64;

export function descriptionOf(
	index: number,
	more: Partial<SnapshotDescription> = {},
): SnapshotDescription {
	const address = { peer: "h:1", client: "h:2", admin: "h:3" };
	return {
		clusterId: place.clusterId,
		index,
		term: 3,
		configuration: {
			index: 1,
			configuration: {
				voters: ["n1", "n2"],
				outgoing: [],
				learners: ["n3"],
				addresses: {
					n1: address,
					n2: { ...address, incarnation: "i2" },
					n3: address,
				},
			},
		},
		machine: "kv",
		level: 2,
		release: "1.2.3",
		createdAtMs: 1_700_000_000_000,
		...more,
	};
}

/** Bytes that repeat nowhere, equal for equal seeds. */
export function contentOf(bytes: number, seed = 1): Buffer {
	const random = seededRandom(seed);
	return Buffer.from(
		Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256)),
	);
}

export function openOn(
	disk: Disk,
	more: Partial<DirectoryOptions> = {},
): ReturnType<typeof SnapshotDirectory.open> {
	return SnapshotDirectory.open({ disk, ...place, chunkBytes, ...more });
}

/** Writes a snapshot in pieces of uneven size. */
export function write(
	snapshots: SnapshotDirectory,
	description: SnapshotDescription,
	content: Uint8Array,
): SnapshotManifest {
	const writer = snapshots.create(description);
	for (let at = 0, size = 1; at < content.length; at += size, size += 13)
		writer.write(content.slice(at, at + size));
	return snapshots.finish(writer);
}

/** The whole content, or the error that its reader threw. */
export function read(snapshots: SnapshotDirectory, index: number): Buffer {
	const content = snapshots.content(index);
	const chunks: Uint8Array[] = [];
	try {
		for (;;) {
			const chunk = content.next();
			if (chunk === null) return Buffer.concat(chunks);
			chunks.push(chunk);
		}
	} finally {
		content.close();
	}
}

export function pathOf({ index, id }: SnapshotManifest): string {
	return `${place.directory}/${String(index).padStart(20, "0")}-${id}.snapshot`;
}

/** Whether it was the power that failed, however the failure was wrapped. */
export function isCrash(error: unknown): boolean {
	return (
		error instanceof DiskCrash ||
		(error instanceof Error &&
			error.cause !== undefined &&
			isCrash(error.cause))
	);
}
