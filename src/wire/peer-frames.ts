import { reasonOf } from "../errors.js";
import { decodeBlock, decodeConfiguration } from "../raft/codec.js";
import {
	type AppendRequest,
	type Entry,
	EntryKind,
	type Message,
	type NodeId,
	type SnapshotOffer,
	type VoteRequest,
} from "../raft/types.js";
import { ByteCursor } from "./byte-cursor.js";
import {
	decodeForward,
	decodeOutcomes,
	type ForwardFrame,
	type OutcomesFrame,
} from "./forward-frames.js";
import { FrameError } from "./frame-splitter.js";

/**
 * What nodes say to each other once they have greeted (peer-handshake.ts). Each frame is, little-endian:
 *
 *     0  u32  length of what follows      4  u8  kind      5  payload
 *
 * docs/peer-protocol.md has the table of every payload. Who speaks to whom is known from the connection.
 */
export const PeerFrameKind = {
	hello: 1,
	welcome: 2,
	refused: 3,
	ping: 4,
	pong: 5,
	/** A hello for one snapshot instead of messages. */
	snapshotHello: 6,
	voteRequest: 16,
	voteResponse: 17,
	appendRequest: 18,
	appendResponse: 19,
	heartbeat: 20,
	heartbeatResponse: 21,
	timeoutNow: 22,
	readRequest: 23,
	readResponse: 24,
	snapshotOffer: 25,
	forward: 32,
	outcomes: 33,
	snapshotRequest: 40,
	snapshotHead: 41,
	snapshotFrom: 42,
	snapshotData: 43,
	snapshotGone: 44,
} as const;

/** What a node reads at most in one frame; a longer one ends the connection (P18). */
export const maxPeerFrameBytes = 16 * 1024 * 1024;

/** The longest command that fits a frame with room to spare, alone in an append or a forward. */
export const maxPeerCommandBytes = 8 * 1024 * 1024;

export const PeerFlag = { first: 1, second: 2 } as const;

/** An append-request with its entries also as the bytes they came in: the same bytes go to the disk. */
interface AppendFrame extends AppendRequest {
	readonly block: Uint8Array;
}

export type PeerFrame =
	| Exclude<Message, AppendRequest>
	| AppendFrame
	| ForwardFrame
	| OutcomesFrame
	| { readonly type: "ping" }
	| { readonly type: "pong" };

/** Reads a frame of an open connection. Entries and commands are views of `frame`. Throws FrameError. */
export function decodePeerFrame(
	frame: Buffer,
	link: { readonly from: NodeId; readonly to: NodeId },
): PeerFrame {
	const cursor = new ByteCursor(frame);
	const kind = cursor.u8();
	const decoded = decodeKind(kind, cursor, link.from, link.to);
	cursor.end();
	return decoded;
}

function decodeKind(
	kind: number,
	cursor: ByteCursor,
	from: NodeId,
	to: NodeId,
): PeerFrame {
	switch (kind) {
		case PeerFrameKind.appendRequest:
			return appendRequest(cursor, from, to);
		case PeerFrameKind.appendResponse:
			return {
				...{ type: "append-response", from, to, term: cursor.u48() },
				...{ session: cursor.u48(), success: cursor.flags(1) === 1 },
				...{ match: cursor.u48(), rejected: cursor.u48() },
				...{ hintIndex: cursor.u48(), hintTerm: cursor.u48() },
			};
		case PeerFrameKind.heartbeat:
			return {
				...{ type: "heartbeat", from, to, term: cursor.u48() },
				...{ session: cursor.u48(), commit: cursor.u48(), read: cursor.u48() },
				...{ stamp: cursor.u48(), currentCommit: cursor.u48() },
				currentStamp: cursor.u48(),
			};
		case PeerFrameKind.heartbeatResponse:
			return {
				...{ type: "heartbeat-response", from, to, term: cursor.u48() },
				...{ session: cursor.u48(), read: cursor.u48(), stamp: cursor.u48() },
			};
		case PeerFrameKind.forward:
			return decodeForward(cursor);
		case PeerFrameKind.outcomes:
			return decodeOutcomes(cursor);
		default:
			return decodeRare(kind, cursor, from, to);
	}
}

function decodeRare(
	kind: number,
	cursor: ByteCursor,
	from: NodeId,
	to: NodeId,
): PeerFrame {
	switch (kind) {
		case PeerFrameKind.ping:
			return { type: "ping" };
		case PeerFrameKind.pong:
			return { type: "pong" };
		case PeerFrameKind.voteRequest:
			return voteRequest(cursor, from, to);
		case PeerFrameKind.voteResponse: {
			const term = cursor.u48();
			const flags = cursor.flags(3);
			return {
				...{ type: "vote-response", from, to, term, attempt: cursor.u48() },
				pre: (flags & PeerFlag.first) !== 0,
				granted: (flags & PeerFlag.second) !== 0,
			};
		}
		case PeerFrameKind.timeoutNow:
			return { type: "timeout-now", from, to, term: cursor.u48() };
		case PeerFrameKind.snapshotOffer:
			return snapshotOffer(cursor, from, to);
		case PeerFrameKind.readRequest:
			return {
				...{ type: "read-request", from, to, term: cursor.u48() },
				sequence: cursor.u48(),
			};
		case PeerFrameKind.readResponse: {
			const term = cursor.u48();
			const known = cursor.flags(1) === 1;
			const sequence = cursor.u48();
			const index = cursor.u48();
			return {
				...{ type: "read-response", from, to, term, sequence },
				index: known ? index : null,
			};
		}
		default:
			throw new FrameError(`a frame of kind ${kind}, which is unknown here`);
	}
}

function voteRequest(
	cursor: ByteCursor,
	from: NodeId,
	to: NodeId,
): VoteRequest {
	const term = cursor.u48();
	const flags = cursor.flags(3);
	const attempt = cursor.u48();
	const lastIndex = cursor.u48();
	const lastTerm = cursor.u48();
	if (lastTerm > term)
		throw new FrameError(`a vote in term ${term} for a log of ${lastTerm}`);
	return {
		...{ type: "vote-request", from, to, term, attempt, lastIndex, lastTerm },
		pre: (flags & PeerFlag.first) !== 0,
		transfer: (flags & PeerFlag.second) !== 0,
	};
}

function snapshotOffer(
	cursor: ByteCursor,
	from: NodeId,
	to: NodeId,
): SnapshotOffer {
	const term = cursor.u48();
	const session = cursor.u48();
	const snapshotIndex = cursor.u48();
	const snapshotTerm = cursor.u48();
	if (snapshotTerm > term)
		throw new FrameError(
			`a snapshot of term ${snapshotTerm} offered in term ${term}`,
		);
	return {
		...{ type: "snapshot-offer", from, to, term, session },
		...{ snapshotIndex, snapshotTerm },
	};
}

function appendRequest(
	cursor: ByteCursor,
	from: NodeId,
	to: NodeId,
): AppendFrame {
	const term = cursor.u48();
	const session = cursor.u48();
	const prevIndex = cursor.u48();
	const prevTerm = cursor.u48();
	const commit = cursor.u48();
	const block = cursor.rest();
	const entries = entriesOf(block);
	const message: AppendFrame = {
		...{ type: "append-request", from, to, term, session },
		...{ prevIndex, prevTerm, entries, commit, block },
	};
	checkEntries(message);
	return message;
}

function entriesOf(block: Buffer): Entry[] {
	try {
		return decodeBlock(block);
	} catch (error) {
		if (error instanceof RangeError) throw new FrameError(error.message);
		throw error;
	}
}

/** It would be in force as soon as it is appended. */
function checkConfiguration({ kind, index, data }: Entry): void {
	if (kind !== EntryKind.configuration) return;
	try {
		decodeConfiguration(data);
	} catch (error) {
		throw new FrameError(
			`entry ${index} is no configuration: ${reasonOf(error)}`,
		);
	}
}

/** The core relies on these; entries that break them were sent by no leader. */
function checkEntries(message: AppendRequest): void {
	const { term, prevIndex, prevTerm, entries } = message;
	const first = entries[0];
	if (first !== undefined && first.index !== prevIndex + 1)
		throw new FrameError(`entry ${first.index} sent to follow ${prevIndex}`);
	let newest = prevTerm;
	for (const entry of entries) {
		if (entry.term < newest)
			throw new FrameError(
				`entry ${entry.index} has term ${entry.term} after ${newest}`,
			);
		newest = entry.term;
		checkConfiguration(entry);
	}
	if (newest > term)
		throw new FrameError(`entries of term ${newest} sent in term ${term}`);
}
