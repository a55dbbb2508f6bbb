import { type Disk, isDirectoryError, type ReadableFile } from "./disk.js";
import { findMarker, type Marker, markerName } from "./marker.js";
import { readWhole } from "./recovery.js";
import { Replay } from "./replay.js";
import {
	bindingOf,
	dataStart,
	formatVersion,
	readFloor,
	type SegmentHeader,
	seedOf,
	segmentName,
} from "./segment.js";
import {
	type Expected,
	headerFault,
	missingWords,
	readHeader,
	sortSegments,
} from "./segment-files.js";
import { holdsNothing, judgeTail, readRecords } from "./segment-records.js";
import type { LogReport, LogToVerify, SegmentReport } from "./verify.js";

/** What the next segment is compared with. */
interface Walk {
	readonly expected: Expected;
	/** The id that a seal named; null when nothing did. */
	readonly sealedId: Buffer | null;
}

/** Walks through a log once, see `verifyLog`. */
export class Verifier {
	/** What the log holds up to the first damage. */
	replay = new Replay({ baseIndex: 1 });
	/** Of each segment that was read, by its ordinal. */
	readonly seeds = new Map<number, number>();
	readonly #log: LogToVerify;
	readonly #segments: SegmentReport[] = [];
	#marker: Marker | null = null;
	#binding: Buffer | null = null;
	#damaged = false;
	#bytes: Buffer | undefined;

	constructor(log: LogToVerify) {
		this.#log = log;
		const { owner } = log;
		if (owner !== undefined)
			this.#binding = bindingOf(owner.clusterId, owner.nodeId);
	}

	run(): LogReport {
		const { disk, directory } = this.#log;
		const names = disk.list(directory);
		const markerFault = this.#readMarker(names);
		const first = this.#marker?.first ?? { ordinal: 1, id: null };
		const { kept, leftovers } = sortSegments(names, first.ordinal);
		const isNone = kept.length === 0 && !names.includes(markerName);
		let walk: Walk = {
			expected: { ...first, previousId: null },
			sealedId: null,
		};
		for (const [number, ordinal] of kept.entries())
			walk = this.#segment(ordinal, walk, kept.slice(number + 1));
		if (walk.sealedId !== null || (kept.length === 0 && !isNone))
			this.#missing(walk.expected.ordinal, walk.expected.ordinal);
		leftovers.push(...names.filter((name) => name.endsWith(".tmp")));
		return this.#report(isNone, markerFault, leftovers);
	}

	#report(
		isNone: boolean,
		markerFault: string | null,
		leftovers: readonly string[],
	): LogReport {
		const { blocks, hardState } = this.replay;
		const { firstIndex, lastIndex, isEmpty } = blocks;
		const states = this.#segments.map(({ state }) => state);
		if (markerFault !== null) states.push("damaged");
		const worst = (["damaged", "torn-tail"] as const).find((state) =>
			states.includes(state),
		);
		return {
			state: isNone ? "none" : (worst ?? "ok"),
			clusterId: this.#marker?.cluster ?? null,
			nodeId: this.#marker?.node ?? null,
			marker: markerFault,
			segments: this.#segments,
			leftovers,
			firstIndex: isEmpty ? null : firstIndex,
			lastIndex: isEmpty ? null : lastIndex,
			...hardState,
			entries: isEmpty ? 0 : lastIndex - firstIndex + 1,
		};
	}

	/** Returns what is wrong with log.json. A log that a crash left without one is well: it was just begun. */
	#readMarker(names: readonly string[]): string | null {
		if (!names.includes(markerName)) return null;
		const { disk, directory } = this.#log;
		const found = findMarker(disk, `${directory}/${markerName}`);
		if (typeof found === "string") return found;
		if (typeof found === "number")
			return `log.json has log format ${found}; this release reads format ${formatVersion}`;
		this.#marker = found;
		this.#binding ??= bindingOf(found.cluster, found.node);
		return null;
	}

	#segment(ordinal: number, walk: Walk, following: readonly number[]): Walk {
		const isGap = walk.expected.ordinal !== ordinal;
		if (isGap) this.#missing(walk.expected.ordinal, ordinal - 1);
		const { expected, sealedId: named } = isGap ? behindGap(ordinal) : walk;
		const { disk, directory } = this.#log;
		const path = `${directory}/${segmentName(ordinal)}`;
		const file = openUnlessDirectory(disk, path);
		const next = { ordinal: ordinal + 1, id: null };
		if (file === null) {
			this.#noFile(ordinal, "it is a directory");
			return { expected: { ...next, previousId: null }, sealedId: null };
		}
		try {
			const found = readHeader(file);
			const fault = this.#headerFault(found, file.size(), expected, named);
			if (found === null || fault !== null) {
				this.#add(file, ordinal, { state: "damaged", offset: 0, what: fault });
				return { expected: { ...next, previousId: null }, sealedId: null };
			}
			const { id } = found.header;
			const sealedId = this.#records(file, found, following);
			return { expected: { ...next, previousId: id }, sealedId };
		} finally {
			file.close();
		}
	}

	#headerFault(
		found: ReturnType<typeof readHeader>,
		size: number,
		expected: Expected,
		named: Buffer | null,
	): string | null {
		if (found === null) return "the segment's header is unreadable";
		const { header, version } = found;
		if (version !== formatVersion)
			return `the segment has log format ${version}; this release reads format ${formatVersion}`;
		this.#binding ??= header.binding;
		if (!header.binding.equals(this.#binding))
			return "the segment belongs to another node or another cluster";
		const isNamed = named === null || header.id.equals(named);
		if (!isNamed)
			return "the segment is not the one that its predecessor names";
		return headerFault(header, size, expected);
	}

	/** Reads a segment whose header is good; returns the id of the next one if it is sealed. */
	#records(
		file: ReadableFile,
		found: { header: SegmentHeader; crc: number },
		following: readonly number[],
	): Buffer | null {
		const { header, crc: headerCrc } = found;
		const { ordinal } = header;
		const seed = seedOf(header.id);
		const bytes = readWhole(file, header.size, this.#bytes);
		this.#bytes = bytes;
		this.seeds.set(ordinal, seed);
		// What comes after damage is read for its own sake.
		const isFirst = this.#segments.length === 0;
		const replay = this.#damaged || isFirst ? new Replay(header) : this.replay;
		if (isFirst) this.replay = replay;
		let first: number | null = null;
		let last: number | null = null;
		const { end, fault, nextId } = readRecords(
			{ seed, headerCrc },
			bytes,
			(record) => {
				replay.record(bytes, record, ordinal);
				for (const item of record.items)
					if (item.last > 0) {
						first = Math.min(first ?? item.first, item.first);
						last = Math.max(last ?? 0, item.last);
					}
			},
		);
		const verdict =
			fault !== null
				? damage(end, words(fault))
				: this.#tail(bytes, { end, nextId, seed, ordinal, following });
		const range = { firstIndex: first, lastIndex: last };
		this.#add(file, ordinal, { ...range, ...verdict });
		return nextId;
	}

	/** What follows the good records. */
	#tail(
		bytes: Buffer,
		found: {
			readonly end: number;
			readonly nextId: Buffer | null;
			readonly seed: number;
			readonly ordinal: number;
			readonly following: readonly number[];
		},
	): Verdict {
		const { end, nextId, seed, ordinal, following } = found;
		if (nextId !== null) return sound;
		const [next] = following;
		if (next !== undefined && !this.#isUnused(following))
			return damage(
				end,
				`a record is unreadable although the log goes on in ${segmentName(next)}`,
			);
		const { floor } = readFloor(bytes, seed);
		const tail = judgeTail(bytes, end, { seed, floor });
		if (tail.damage !== null) return damage(end, tail.damage);
		if (tail.dirtyEnd > end) {
			const what = `a write of ${tail.dirtyEnd - end} bytes was cut short`;
			return { state: "torn-tail", offset: end, what };
		}
		const isNewborn =
			end === dataStart && ordinal > 1 && this.#segments.length > 0;
		const what = isNewborn ? "the segment holds nothing yet" : null;
		return { ...sound, what };
	}

	/** A crash between the making of a segment and its naming leaves one that is empty, and last. */
	#isUnused([ordinal, ...others]: readonly number[]): boolean {
		if (ordinal === undefined || others.length > 0) return false;
		const { disk, directory } = this.#log;
		const path = `${directory}/${segmentName(ordinal)}`;
		const file = openUnlessDirectory(disk, path);
		if (file === null) return false;
		try {
			const size = file.size();
			const header = readHeader(file)?.header;
			return header?.size === size && holdsNothing(readWhole(file, size));
		} finally {
			file.close();
		}
	}

	/** One report for all of a gap: a damaged or stray name makes it as wide as numbers go. */
	#missing(ordinal: number, last: number): void {
		const name = segmentName(ordinal);
		const what =
			ordinal === last
				? missingWords(name)
				: `the segments ${name} to ${segmentName(last)} are missing`;
		this.#noFile(ordinal, what);
	}

	#noFile(ordinal: number, what: string): void {
		const file = `${this.#log.directory}/${segmentName(ordinal)}`;
		this.#push({
			...{ file, ordinal, bytes: 0, firstIndex: null, lastIndex: null },
			...damage(0, what),
		});
	}

	#add(
		file: ReadableFile,
		ordinal: number,
		found: Partial<SegmentReport> & Verdict,
	): void {
		this.#push({
			...{ file: file.path, ordinal, bytes: file.size() },
			...{ firstIndex: null, lastIndex: null },
			...found,
		});
	}

	#push(report: SegmentReport): void {
		this.#segments.push(report);
		this.#damaged ||= report.state === "damaged";
	}
}

function openUnlessDirectory(disk: Disk, path: string): ReadableFile | null {
	try {
		return disk.openReadOnly(path);
	} catch (error) {
		if (isDirectoryError(error)) return null;
		throw error;
	}
}

/** Nothing is known of what comes before. */
function behindGap(ordinal: number): Walk {
	return { expected: { ordinal, id: null, previousId: null }, sealedId: null };
}

type Verdict = Pick<SegmentReport, "state" | "offset" | "what">;

const sound: Verdict = { state: "ok", offset: null, what: null };

function damage(offset: number, what: string): Verdict {
	return { state: "damaged", offset, what };
}

function words({ what, cause }: { what: string; cause?: unknown }): string {
	return cause instanceof Error ? `${what}: ${cause.message}` : what;
}
