import { OperatorError, reasonOf } from "../../errors.js";
import { isDirectoryError } from "../disk.js";
import { isFull } from "../next-segment.js";

/** What is wrong with a snapshot's bytes, and where. Becomes an OperatorError when it leaves the store. */
export class SnapshotProblem extends Error {
	override readonly name = "SnapshotProblem";
	readonly offset: number;
	readonly what: string;

	/** `what` is a clause about the file: "its header is damaged". */
	constructor(offset: number, what: string, cause?: unknown) {
		super(`${what} (offset ${offset})`, cause === undefined ? {} : { cause });
		this.offset = offset;
		this.what = what;
	}
}

/** Why the system does not let a snapshot be read, as a clause about the file. */
export function unreadable(error: unknown): string {
	return isDirectoryError(error)
		? "it is a directory"
		: `it cannot be read: ${reasonOf(error)}`;
}

/** A snapshot on the disk cannot be used. `offset` is where the trouble is when the error does not say. */
export function unusableSnapshot(
	nodeId: string,
	path: string,
	offset: number,
	cause: unknown,
): OperatorError {
	const problem = cause instanceof SnapshotProblem ? cause : null;
	return new OperatorError(
		"unexpected",
		`a snapshot cannot be read: ${problem?.what ?? reasonOf(cause)}, in ${path} at offset ${problem?.offset ?? offset}`,
		{
			node: nodeId,
			state: "the file is left as it is, and not used until the next start",
			next: "an older snapshot, or another node's, takes its place; check the disk",
			cause,
		},
	);
}

/** What another node sent is no snapshot for this one. */
export function refusedSnapshot(
	nodeId: string,
	id: string,
	cause: SnapshotProblem,
	kept: boolean,
): OperatorError {
	return new OperatorError(
		"unexpected",
		`the snapshot ${id} from another node is refused: ${cause.what}, at offset ${cause.offset}`,
		{
			node: nodeId,
			state: kept
				? "what came before was checked and is kept for the next attempt"
				: "nothing of it is kept",
			next: "it is fetched again; if that fails too, check the sender's disk with raftctl doctor",
			cause,
		},
	);
}

/** A write, a sync or a rename failed: the snapshot is given up, the node goes on. */
export function failedSnapshot(
	nodeId: string,
	path: string,
	missingBytes: number,
	cause: unknown,
): OperatorError {
	const full = isFull(cause);
	return new OperatorError(
		"unexpected",
		full
			? `the disk is full: no room for the snapshot ${path}${missingBytes > 0 ? ` (at least ${missingBytes} more bytes are needed)` : ""}`
			: `the snapshot ${path} could not be written: ${reasonOf(cause)}`,
		{
			node: nodeId,
			state: "its file is removed; the log and the older snapshots are whole",
			next: full
				? "free some space: the next snapshot is taken by itself"
				: "check the disk: the next snapshot is taken by itself",
			cause,
		},
	);
}
