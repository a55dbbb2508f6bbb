import { OperatorError } from "../errors.js";
import { damagedLog } from "./damage.js";
import { type Disk, isDirectoryError } from "./disk.js";
import { isFull } from "./next-segment.js";
import { formatVersion, idBytes, type Segment } from "./segment.js";

export interface LogPlace {
	readonly disk: Disk;
	readonly directory: string;
	readonly clusterId: string;
	readonly nodeId: string;
}

export const markerName = "log.json";
const temporaryName = "log.tmp";
/** Far more than names take. */
const maxMarkerBytes = 64 * 1024;

/** What log.json says: that the log has been begun, and where it begins now. */
export interface Marker {
	readonly cluster: string;
	readonly node: string;
	/** The oldest segment that must be there; null for the first that there ever was. */
	readonly first: FirstSegment | null;
}

/** Its id tells it from any other: a damaged ordinal must not pass for a later beginning (P14). */
interface FirstSegment {
	readonly ordinal: number;
	/** Hexadecimal. */
	readonly id: string;
}

/** Null when the log was never begun. Throws an OperatorError when the file is damaged or of a later format. */
export function readMarker(place: LogPlace): Marker | null {
	const { disk, directory, nodeId } = place;
	if (!disk.list(directory).includes(markerName)) return null;
	const found = decodeMarker(readFile(disk, `${directory}/${markerName}`));
	if (typeof found === "object") return found;
	if (typeof found === "number") throw foreignVersion(place, markerName, found);
	throw damagedLog({
		nodeId,
		file: `${directory}/${markerName}`,
		offset: 0,
		index: 0,
		what: found,
	});
}

/** As `decodeMarker`, for those who only look: also of what is no file. */
export function findMarker(disk: Disk, path: string): Marker | string | number {
	try {
		return decodeMarker(readFile(disk, path));
	} catch (error) {
		if (isDirectoryError(error)) return `${markerName} is a directory`;
		throw error;
	}
}

/** A sentence when the bytes are no marker, a number when they are one of another format. */
export function decodeMarker(bytes: Buffer): Marker | string | number {
	const said = parsed(bytes);
	if (said === null) return "log.json is unreadable";
	const { format, cluster, node, first = null } = said;
	if (!Number.isSafeInteger(format)) return "log.json names no format";
	if (format !== formatVersion) return format as number;
	if (typeof cluster !== "string" || typeof node !== "string")
		return "log.json does not say whose log it is";
	if (first === null) return { cluster, node, first };
	const { ordinal, id } = first as Partial<Record<string, unknown>>;
	const isSegment =
		Number.isSafeInteger(ordinal) &&
		(ordinal as number) >= 0 &&
		typeof id === "string" &&
		isId(id);
	if (!isSegment) return "log.json names no first segment";
	return { cluster, node, first: { ordinal: ordinal as number, id } };
}

/** Makes it known that the log has been begun. Durable on return; does nothing when it is known already. */
export function markBegun(place: LogPlace): void {
	if (place.disk.list(place.directory).includes(markerName)) return;
	prepareMarker(place, null);
	publishMarker(place);
}

/**
 * Makes it known that the log begins with `first`: from then on those before it may be removed, and must not be missed.
 * Durable on return; false when the disk is too full, and then nothing has changed.
 */
export function markFirst(place: LogPlace, { header }: Segment): boolean {
	const { ordinal, id } = header;
	try {
		prepareMarker(place, { ordinal, id: id.toString("hex") });
	} catch (error) {
		if (!isFull(error)) throw error;
		removeTemporary(place, temporaryName);
		return false;
	}
	publishMarker(place);
	return true;
}

/** Removes what was left half made: all of it, or the file called `only`. */
export function removeTemporary(place: LogPlace, only?: string): void {
	const { disk, directory } = place;
	for (const name of disk.list(directory))
		if (only === undefined ? name.endsWith(".tmp") : name === only)
			disk.remove(`${directory}/${name}`);
}

export function foreignVersion(
	place: LogPlace,
	name: string,
	version: number,
): OperatorError {
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

/** The whole file, or as much of it as a marker can have. */
function readFile(disk: Disk, path: string): Buffer {
	const file = disk.openReadOnly(path);
	try {
		const bytes = Buffer.alloc(Math.min(file.size(), maxMarkerBytes));
		return bytes.subarray(0, file.readAt(bytes, 0));
	} finally {
		file.close();
	}
}

/** Nobody relies on the file yet, so a disk without room is no failure. */
function prepareMarker(place: LogPlace, first: FirstSegment | null): void {
	const { disk, directory, clusterId, nodeId } = place;
	const marker = {
		format: formatVersion,
		cluster: clusterId,
		node: nodeId,
		...(first === null ? {} : { first }),
	};
	const file = disk.create(`${directory}/${temporaryName}`);
	try {
		file.writeAt(Buffer.from(`${JSON.stringify(marker)}\n`), 0);
		file.sync();
	} finally {
		file.close();
	}
}

function publishMarker({ disk, directory }: LogPlace): void {
	disk.rename(`${directory}/${temporaryName}`, `${directory}/${markerName}`);
	disk.syncDirectory(directory);
}

function parsed(bytes: Buffer): Partial<Record<string, unknown>> | null {
	try {
		const value: unknown = JSON.parse(bytes.toString("utf8"));
		return typeof value === "object" ? value : null;
	} catch {
		return null;
	}
}

function isId(id: string): boolean {
	return id.length === 2 * idBytes && /^[0-9a-f]+$/.test(id);
}
