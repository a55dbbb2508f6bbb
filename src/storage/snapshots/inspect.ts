import type { Disk, ReadableFile } from "../disk.js";
import {
	checkExpected,
	decodeDescription,
	type Expected,
	manifestOf,
} from "./description.js";
import {
	checkDescription,
	decodeHeader,
	decodeTrailer,
	headerBytes,
	layoutOf,
	minFileBytes,
	type SnapshotHeader,
	type SnapshotLayout,
	type SnapshotTrailer,
	trailerBytes,
} from "./format.js";
import { nameParts } from "./place.js";
import { SnapshotProblem } from "./problem.js";
import type {
	SnapshotDescription,
	SnapshotManifest,
} from "./snapshot-store.js";

/** The manifest of the file, from header, description and trailer. Throws a SnapshotProblem, or the disk's error. */
export function inspectSnapshot(
	disk: Disk,
	directory: string,
	name: string,
	expected: Expected,
): SnapshotManifest {
	const file = disk.open(`${directory}/${name}`);
	try {
		const fileBytes = file.size();
		const header = readHeader(file);
		const layout = layoutOf(header, fileBytes);
		const description = readDescription(file, header);
		if (nameParts(name) === null)
			throw new SnapshotProblem(0, "its name is none that raftd gives");
		checkName(name, header, description);
		checkExpected(description, expected);
		const trailer = readTrailer(file, header, layout);
		return manifestOf(header, description, trailer, fileBytes);
	} finally {
		file.close();
	}
}

export function readHeader(file: ReadableFile): SnapshotHeader {
	if (file.size() < minFileBytes)
		throw new SnapshotProblem(file.size(), "it is cut short");
	return decodeHeader(readPart(file, 0, headerBytes));
}

export function readDescription(
	file: ReadableFile,
	header: SnapshotHeader,
): SnapshotDescription {
	const bytes = readPart(file, headerBytes, header.descriptionBytes + 4);
	return decodeDescription(checkDescription(header, bytes));
}

export function readTrailer(
	file: ReadableFile,
	header: SnapshotHeader,
	layout: SnapshotLayout,
): SnapshotTrailer {
	const bytes = readPart(file, layout.trailerStart, trailerBytes);
	return decodeTrailer(bytes, header.seed, layout);
}

/** A file that was renamed by hand is not what its name promises. Other names than ours promise nothing. */
export function checkName(
	name: string,
	header: SnapshotHeader,
	{ index }: SnapshotDescription,
): void {
	const parts = nameParts(name);
	if (parts === null) return;
	if (parts.index !== index || parts.id !== header.id.toString("hex"))
		throw new SnapshotProblem(headerBytes, "its name is another snapshot's");
}

/** Callers have bounded `bytes`. */
export function readPart(
	file: Pick<ReadableFile, "readAt">,
	offset: number,
	bytes: number,
): Buffer {
	const target = Buffer.allocUnsafeSlow(bytes);
	const got = file.readAt(target, offset);
	if (got < bytes) throw new SnapshotProblem(offset + got, "it is cut short");
	return target;
}
