import { OperatorError } from "../errors.js";
import { damagedLog } from "./damage.js";
import type { ReadableFile } from "./disk.js";
import { foreignVersion, type LogPlace, readMarker } from "./marker.js";
import {
	bindingOf,
	dataStart,
	decodeSegmentHeader,
	formatVersion,
	idBytes,
	ordinalOf,
	type Segment,
	type SegmentHeader,
	seedOf,
	segmentName,
} from "./segment.js";

/** The files of a log that was found. */
interface FoundSegments {
	/** In order, without a gap. Empty when there is no log yet. */
	readonly segments: Segment[];
	/** Names of segments before the log's beginning, which a crash kept from being removed. */
	readonly leftovers: readonly string[];
}

/**
 * Opens every segment of the log, in order, after checking that none is missing, cut short, foreign or out of place.
 * Changes nothing.
 */
export function openSegments(place: LogPlace): FoundSegments {
	const marker = readMarker(place);
	const from = marker?.first ?? { ordinal: 1, id: null };
	const { kept, leftovers } = sortSegments(
		place.disk.list(place.directory),
		from.ordinal,
	);
	if (kept.length === 0 && marker !== null)
		throw missing(place, segmentName(from.ordinal));
	const segments: Segment[] = [];
	try {
		let next: Expected = { ...from, previousId: null };
		for (const ordinal of kept) {
			const segment = openSegment(place, ordinal, next);
			segments.push(segment);
			const previousId = segment.header.id;
			next = { ordinal: ordinal + 1, id: null, previousId };
		}
	} catch (error) {
		for (const { file } of segments) file.close();
		throw error;
	}
	return { segments, leftovers };
}

/** Which of `names` are segments of a log that begins with `first`, and which are what is left of those before. */
export function sortSegments(
	names: readonly string[],
	first: number,
): { kept: number[]; leftovers: string[] } {
	const ordinals = names
		.map(ordinalOf)
		.filter((ordinal) => ordinal !== null)
		.sort((a, b) => a - b);
	return {
		kept: ordinals.filter((ordinal) => ordinal >= first),
		leftovers: ordinals
			.filter((ordinal) => ordinal < first)
			.map((ordinal) => segmentName(ordinal)),
	};
}

/** A segment that the log needs is not there. `index`: the last before it; 0 when nothing was read yet. */
export function missing(
	place: LogPlace,
	name: string,
	index = 0,
): OperatorError {
	return headerDamage(place, name, missingWords(name), index);
}

export function missingWords(name: string): string {
	return `the segment ${name} is missing`;
}

/** What a segment must be to follow the one before it. */
export interface Expected {
	readonly ordinal: number;
	/** Hexadecimal, as log.json names it; null when it names none. */
	readonly id: string | null;
	/** Null when the one before is gone, or never was. */
	readonly previousId: Buffer | null;
}

/** The header as it is in the file, or null when it is unreadable. The version is for the caller to judge. */
export function readHeader(file: ReadableFile) {
	const start = Buffer.alloc(dataStart);
	const got = file.readAt(start, 0);
	return decodeSegmentHeader(start.subarray(0, got));
}

/** What is wrong with a segment's header or size, as the rest of a sentence; null when nothing is. */
export function headerFault(
	header: SegmentHeader,
	size: number,
	expected: Expected,
): string | null {
	if (header.ordinal !== expected.ordinal)
		return "the file is not the segment it is named";
	if (expected.id !== null && header.id.toString("hex") !== expected.id)
		return "the segment is not the one that log.json names";
	// Of a segment that was removed, nothing is left to compare with: log.json vouches for its successor.
	const previousId =
		expected.previousId ??
		(header.ordinal === 1 ? Buffer.alloc(idBytes) : null);
	if (previousId !== null && !header.previousId.equals(previousId))
		return "the segment does not follow the one before";
	// A segment gets its full size before it gets its name, so no crash makes it shorter.
	if (size !== header.size)
		return `the file has ${size} bytes instead of ${header.size}`;
	return null;
}

function openSegment(
	place: LogPlace,
	ordinal: number,
	expected: Expected,
): Segment {
	if (ordinal !== expected.ordinal)
		throw missing(place, segmentName(expected.ordinal));
	const name = segmentName(ordinal);
	const file = place.disk.open(`${place.directory}/${name}`);
	try {
		const decoded = readHeader(file);
		if (decoded === null)
			throw headerDamage(place, name, "the segment's header is unreadable");
		const { header, crc, version } = decoded;
		if (version !== formatVersion) throw foreignVersion(place, name, version);
		if (!header.binding.equals(bindingOf(place.clusterId, place.nodeId)))
			throw foreignLog(place);
		const fault = headerFault(header, file.size(), expected);
		if (fault !== null) throw headerDamage(place, name, fault);
		return { header, name, file, seed: seedOf(header.id), headerCrc: crc };
	} catch (error) {
		file.close();
		throw error;
	}
}

function headerDamage(
	place: LogPlace,
	name: string,
	what: string,
	index = 0,
): OperatorError {
	return damagedLog({
		nodeId: place.nodeId,
		file: `${place.directory}/${name}`,
		offset: 0,
		index,
		what,
	});
}

function foreignLog({ directory, nodeId }: LogPlace): OperatorError {
	return new OperatorError(
		"refused",
		`the log in ${directory} belongs to another node or another cluster`,
		{
			node: nodeId,
			state: "the node has not started and nothing was changed",
			next: "check the data directory and the cluster id in the node's configuration",
		},
	);
}
