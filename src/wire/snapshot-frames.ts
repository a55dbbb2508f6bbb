import { ByteCursor } from "./byte-cursor.js";
import { FrameError } from "./frame-splitter.js";
import { PeerFrameKind } from "./peer-frames.js";

/**
 * A connection for one snapshot (docs/peer-protocol.md). Who lacks it dials and asks; the other says what it has; the
 * one who asked says from where on; then come the bytes of the file, to its end. All numbers little-endian.
 */
export type SnapshotFrame =
	| { readonly type: "request"; readonly index: number }
	| {
			readonly type: "head";
			readonly index: number;
			readonly fileBytes: number;
			readonly id: string;
	  }
	| { readonly type: "from"; readonly offset: number }
	| {
			readonly type: "data";
			readonly offset: number;
			readonly bytes: Buffer;
	  }
	| { readonly type: "gone" };

/** What is sent in one frame, and read at most, its kind and offset included. */
export const snapshotPieceBytes = 256 * 1024;
export const maxSnapshotFrameBytes = snapshotPieceBytes + 64;

const dataHeaderBytes = 11;

/** The whole frame, its length included; `data` is sent by `encodeSnapshotDataHead` and its bytes. */
export function encodeSnapshotFrame(
	frame: Exclude<SnapshotFrame, { type: "data" }>,
): Buffer {
	switch (frame.type) {
		case "request":
			return whole(PeerFrameKind.snapshotRequest, [u48(frame.index)]);
		case "head":
			return whole(PeerFrameKind.snapshotHead, [
				u48(frame.index),
				u48(frame.fileBytes),
				Buffer.from(frame.id),
			]);
		case "from":
			return whole(PeerFrameKind.snapshotFrom, [u48(frame.offset)]);
		case "gone":
			return whole(PeerFrameKind.snapshotGone, []);
	}
}

/** What goes before `length` bytes of the file, which are not copied. */
export function encodeSnapshotDataHead(offset: number, length: number): Buffer {
	const head = Buffer.allocUnsafe(dataHeaderBytes);
	head.writeUInt32LE(dataHeaderBytes - 4 + length, 0);
	head[4] = PeerFrameKind.snapshotData;
	head.writeUIntLE(offset, 5, 6);
	return head;
}

/** Reads a frame without its length. `bytes` are a view of it. Throws FrameError. */
export function decodeSnapshotFrame(bytes: Buffer): SnapshotFrame {
	const cursor = new ByteCursor(bytes);
	const kind = cursor.u8();
	const frame = decodeKind(kind, cursor);
	cursor.end();
	return frame;
}

function decodeKind(kind: number, cursor: ByteCursor): SnapshotFrame {
	switch (kind) {
		case PeerFrameKind.snapshotRequest:
			return { type: "request", index: cursor.u48() };
		case PeerFrameKind.snapshotHead: {
			const index = cursor.u48();
			const fileBytes = cursor.u48();
			const id = cursor.text(cursor.left);
			// It becomes part of a file's name.
			if (!/^[0-9a-f]{1,64}$/.test(id))
				throw new FrameError("a snapshot's id is not hexadecimal");
			return { type: "head", index, fileBytes, id };
		}
		case PeerFrameKind.snapshotFrom:
			return { type: "from", offset: cursor.u48() };
		case PeerFrameKind.snapshotData:
			return { type: "data", offset: cursor.u48(), bytes: cursor.rest() };
		case PeerFrameKind.snapshotGone:
			return { type: "gone" };
		default:
			throw new FrameError(`a frame of kind ${kind} about a snapshot`);
	}
}

function u48(value: number): Buffer {
	const bytes = Buffer.alloc(6);
	bytes.writeUIntLE(value, 0, 6);
	return bytes;
}

function whole(kind: number, parts: readonly Buffer[]): Buffer {
	const payload = Buffer.concat(parts);
	const head = Buffer.alloc(5);
	head.writeUInt32LE(1 + payload.length);
	head[4] = kind;
	return Buffer.concat([head, payload]);
}
