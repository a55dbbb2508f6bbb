import { OperatorError } from "../errors.js";
import { damagedLog } from "./damage.js";
import type { Disk } from "./disk.js";
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

export interface LogPlace {
	readonly disk: Disk;
	readonly directory: string;
	readonly clusterId: string;
	readonly nodeId: string;
}

/** Written once the first segment exists: with it and without segments, the log was lost rather than never begun. */
const markerName = "log.json";

/**
 * Opens every segment of the log, in order, after checking that none is missing, cut short, foreign or out of place.
 * Empty when there is no log yet. Changes nothing.
 */
export function openSegments(place: LogPlace): Segment[] {
	const names = place.disk.list(place.directory);
	const ordinals = names
		.map(ordinalOf)
		.filter((ordinal) => ordinal !== null)
		.sort((a, b) => a - b);
	const segments: Segment[] = [];
	try {
		for (const ordinal of ordinals)
			segments.push(openSegment(place, ordinal, segments.at(-1)));
		if (segments.length === 0 && names.includes(markerName))
			throw missing(place, segmentName(1));
	} catch (error) {
		for (const { file } of segments) file.close();
		throw error;
	}
	return segments;
}

/** Makes it known that the log has been begun. Durable on return; does nothing when it is known already. */
export function markBegun(place: LogPlace): void {
	const { disk, directory, clusterId, nodeId } = place;
	if (disk.list(directory).includes(markerName)) return;
	const temporary = `${directory}/log.tmp`;
	const file = disk.create(temporary);
	const marker = { format: formatVersion, cluster: clusterId, node: nodeId };
	file.writeAt(Buffer.from(`${JSON.stringify(marker)}\n`), 0);
	file.sync();
	file.close();
	disk.rename(temporary, `${directory}/${markerName}`);
	disk.syncDirectory(directory);
}

/** Removes what an earlier process left half made. */
export function removeTemporary(place: LogPlace): void {
	const { disk, directory } = place;
	for (const name of disk.list(directory))
		if (name.endsWith(".tmp")) disk.remove(`${directory}/${name}`);
}

/** A segment that the log needs is not there. */
export function missing(place: LogPlace, name: string): OperatorError {
	return damagedLog({
		nodeId: place.nodeId,
		file: `${place.directory}/${name}`,
		offset: 0,
		index: 0,
		what: `the segment ${name} is missing`,
	});
}

function openSegment(
	place: LogPlace,
	ordinal: number,
	before: Segment | undefined,
): Segment {
	const expected = (before?.header.ordinal ?? 0) + 1;
	if (ordinal !== expected) throw missing(place, segmentName(expected));
	const name = segmentName(ordinal);
	const file = place.disk.open(`${place.directory}/${name}`);
	try {
		const start = Buffer.alloc(dataStart);
		const got = file.readAt(start, 0);
		const decoded = decodeSegmentHeader(start.subarray(0, got));
		if (decoded === null)
			throw headerDamage(place, name, "the segment's header is unreadable");
		const { header, crc, version } = decoded;
		if (version !== formatVersion) throw foreignVersion(place, name, version);
		checkHeader(place, { header, name, ordinal, before, size: file.size() });
		return { header, name, file, seed: seedOf(header.id), headerCrc: crc };
	} catch (error) {
		file.close();
		throw error;
	}
}

function checkHeader(
	place: LogPlace,
	found: {
		header: SegmentHeader;
		name: string;
		ordinal: number;
		before: Segment | undefined;
		size: number;
	},
): void {
	const { header, name, ordinal, before, size } = found;
	if (!header.binding.equals(bindingOf(place.clusterId, place.nodeId)))
		throw new OperatorError(
			"refused",
			`the log in ${place.directory} belongs to another node or another cluster`,
			{
				node: place.nodeId,
				state: "the node has not started and nothing was changed",
				next: "check the data directory and the cluster id in the node's configuration",
			},
		);
	if (header.ordinal !== ordinal)
		throw headerDamage(place, name, "the file is not the segment it is named");
	if (!header.previousId.equals(before?.header.id ?? Buffer.alloc(idBytes)))
		throw headerDamage(
			place,
			name,
			"the segment does not follow the one before",
		);
	// A segment gets its full size before it gets its name, so no crash makes it shorter.
	if (size !== header.size)
		throw headerDamage(
			place,
			name,
			`the file has ${size} bytes instead of ${header.size}`,
		);
}

function headerDamage(place: LogPlace, name: string, what: string) {
	return damagedLog({
		nodeId: place.nodeId,
		file: `${place.directory}/${name}`,
		offset: 0,
		index: 0,
		what,
	});
}

function foreignVersion(place: LogPlace, name: string, version: number) {
	return new OperatorError(
		"refused",
		`${place.directory}/${name} has log format ${version}; this release reads format ${formatVersion}`,
		{
			node: place.nodeId,
			state: "the node has not started and nothing was changed",
			next: "start the release that wrote this log",
		},
	);
}
