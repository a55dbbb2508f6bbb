import { join } from "node:path";
import { OperatorError, reasonOf } from "../../errors.js";
import type { Disk, DiskFile, ReadableFile } from "../../storage/disk.js";
import { isFull } from "../../storage/next-segment.js";
import { SnapshotCheck } from "../../storage/snapshots/check.js";
import { SnapshotProblem } from "../../storage/snapshots/problem.js";
import { type CopyOwner, copyName, partName, partOf } from "./copy-names.js";
import { ownCopy, prune } from "./prune.js";
import { throttle } from "./throttle.js";

export interface CopyOrder {
	readonly owner: CopyOwner;
	/** A snapshot's file on this node, and the index that it must be of. Nobody removes it meanwhile. */
	readonly source: string;
	readonly index: number;
	/** Must be there. */
	readonly directory: string;
	readonly keep: number;
	readonly maxBytesPerSecond: number;
}

export interface Copied {
	readonly file: string;
	readonly bytes: number;
	/** Names of copies that were removed, as newer ones are there. */
	readonly removed: readonly string[];
}

/** What a piece of work needs from its thread. */
export interface WorkContext {
	readonly disk: Disk;
	/** Its reason says why the work ends. */
	readonly signal: AbortSignal;
	/** Something was done. Who says this for long is alive. */
	onProgress(): void;
}

/**
 * Copies a snapshot into the directory, checks each byte on the way, and removes old copies of this cluster. A copy is
 * whole and durable, or it is not there under its name (P15). Rejects with a sentence for the cluster's status.
 */
export async function copySnapshot(
	order: CopyOrder,
	context: WorkContext,
): Promise<Copied> {
	const { owner, directory, index, keep } = order;
	const { disk } = context;
	const file = join(directory, copyName(owner, index));
	const bytes = await made(file, order, context);
	try {
		const removed = prune({ disk, directory, owner, keep, made: index });
		return { file, bytes, removed };
	} catch (cause) {
		throw fault(
			`the copy ${file} is whole, but older ones could not be removed: ${reasonOf(cause)}`,
			cause,
		);
	}
}

/** The size of the copy, which is there when this resolves. */
async function made(
	file: string,
	order: CopyOrder,
	context: WorkContext,
): Promise<number> {
	try {
		removeLeftOvers(order, context.disk);
		return (
			(await wholeAlready(file, order, context)) ??
			(await writeCopy(file, order, context))
		);
	} catch (cause) {
		if (context.signal.aborted) throw context.signal.reason;
		throw copyFault(order, cause);
	}
}

/** Of an earlier try of this node: no other is under way here. Another node's may grow at this moment. */
function removeLeftOvers({ owner, directory }: CopyOrder, disk: Disk): void {
	for (const name of disk.list(directory))
		if (partOf(owner, name)?.writer === owner.node)
			tryTo(() => disk.remove(join(directory, name)));
}

/** The size of a copy that an earlier try has made of this very index; null when there is none that is good. */
async function wholeAlready(
	file: string,
	order: CopyOrder,
	context: WorkContext,
): Promise<number | null> {
	const { owner, directory, index } = order;
	const { disk } = context;
	const name = copyName(owner, index);
	if (!disk.list(directory).includes(name)) return null;
	const found = ownCopy(disk, directory, name, owner);
	if (found === "foreign")
		throw fault(
			`${file} on ${owner.node} is another cluster's: give each cluster a directory of its own`,
		);
	if (found === null) return null;
	const reader = disk.openReadOnly(file);
	try {
		return await checked(reader, order, context, () => {});
	} catch (error) {
		// It is written anew, in its place.
		if (error instanceof SnapshotProblem) return null;
		throw error;
	} finally {
		reader.close();
	}
}

async function writeCopy(
	file: string,
	order: CopyOrder,
	context: WorkContext,
): Promise<number> {
	const { owner, directory, index, source } = order;
	const { disk } = context;
	const part = join(directory, partName(owner, index));
	const reader = disk.openReadOnly(source);
	let writer: DiskFile | null = null;
	try {
		writer = disk.create(part);
		const target = writer;
		const bytes = await checked(reader, order, context, (piece, offset) =>
			target.writeAt(piece, offset),
		);
		target.sync();
		target.close();
		writer = null;
		context.signal.throwIfAborted();
		disk.rename(part, file);
		disk.syncDirectory(directory);
		return bytes;
	} catch (cause) {
		tryTo(() => writer?.close());
		tryTo(() => disk.remove(part));
		throw cause;
	} finally {
		reader.close();
	}
}

/** Reads the whole file, hands on what was found good, and returns its size. Throws a SnapshotProblem. */
async function checked(
	reader: ReadableFile,
	{ owner, index, maxBytesPerSecond }: CopyOrder,
	{ signal, onProgress }: WorkContext,
	take: (piece: Buffer, offset: number) => void,
): Promise<number> {
	const pause = throttle(maxBytesPerSecond, signal);
	const size = reader.size();
	const check = new SnapshotCheck(size, { clusterId: owner.clusterId, index });
	for (let part = check.next; part !== null; part = check.next) {
		const { offset } = part;
		const piece = Buffer.allocUnsafeSlow(part.bytes);
		const got = reader.readAt(piece, offset);
		if (got < piece.length)
			throw new SnapshotProblem(offset + got, "it is cut short");
		check.accept(piece);
		take(piece, offset);
		onProgress();
		await pause(piece.length);
	}
	return size;
}

/** A clause for each way in which a directory fails its owner. */
function copyFault(
	{ owner, directory, source }: CopyOrder,
	cause: unknown,
): OperatorError {
	const { node } = owner;
	if (cause instanceof OperatorError) return cause;
	if (cause instanceof SnapshotProblem)
		return fault(
			`the snapshot ${source} on ${node} is damaged: ${cause.what}, at offset ${cause.offset}`,
			cause,
		);
	if (isFull(cause))
		return fault(
			`the disk of ${directory} on ${node} is full: one more copy needs room beside those that are kept`,
			cause,
		);
	if ((cause as NodeJS.ErrnoException).code === "ENOENT")
		return fault(
			`${directory} is not there on ${node}: make it on every node, for the user that raftd runs as`,
			cause,
		);
	return fault(
		`no copy could be written to ${directory} on ${node}: ${reasonOf(cause)}`,
		cause,
	);
}

function fault(message: string, cause?: unknown): OperatorError {
	return new OperatorError("unexpected", message, { cause });
}

/** What fails here matters to nobody: the first failure is the one that is told. */
function tryTo(action: () => void): void {
	try {
		action();
	} catch {
		// A file that stays is removed by the next try.
	}
}
