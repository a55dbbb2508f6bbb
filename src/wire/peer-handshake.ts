import { isUtf8 } from "node:buffer";
import { ByteCursor } from "./byte-cursor.js";
import { FrameError } from "./frame-splitter.js";
import { PeerFrameKind } from "./peer-frames.js";

/**
 * The first words of a connection between nodes. Who dials says hello: which cluster, who, which incarnation, and whom
 * it wants. Who is dialled welcomes or refuses. Only then does anything else count.
 */
export interface HelloFrame {
	readonly type: "hello";
	/** One connection carries messages; another, for a while, one snapshot. */
	readonly purpose: "messages" | "snapshot";
	/** The versions of this protocol that the dialling node speaks. */
	readonly oldestVersion: number;
	readonly newestVersion: number;
	readonly clusterId: string;
	readonly from: string;
	readonly incarnation: string;
	readonly to: string;
	/** The levels of the entry format that the dialling node reads, and the one it can write (P61). */
	readonly levels: LevelRange;
}

export interface LevelRange {
	readonly readsFrom: number;
	readonly readsTo: number;
	readonly writes: number;
}

export interface WelcomeFrame {
	readonly type: "welcome";
	/** The version that is spoken from here on. */
	readonly version: number;
	readonly nodeId: string;
	readonly incarnation: string;
}

export interface RefusedFrame {
	readonly type: "refused";
	readonly cause: RefusalCause;
	/** For a person. */
	readonly sentence: string;
}

/** The position is the code on the wire: append only. */
export const refusalCauses = [
	"version",
	"cluster",
	"target",
	"incarnation",
	"own-name",
	"level",
	"certificate",
] as const;
type RefusalCause = (typeof refusalCauses)[number];

export const oldestPeerVersion = 1;
export const newestPeerVersion = 1;

/** What a node reads at most in one frame before it knows who speaks. */
export const maxHandshakeFrameBytes = 2048;

/** "RAFT": tells a peer from whatever else finds the port. */
const magic = 0x54464152;
const maxNameBytes = 255;

/** The whole frame, its length included. Throws RangeError for a name of more than 255 bytes. */
export function encodeHello(hello: Omit<HelloFrame, "type">): Buffer {
	const numbers = Buffer.alloc(8);
	numbers.writeUInt32LE(magic, 0);
	numbers.writeUInt16LE(hello.oldestVersion, 4);
	numbers.writeUInt16LE(hello.newestVersion, 6);
	const { clusterId, from, incarnation, to, levels, purpose } = hello;
	const { readsFrom, readsTo, writes } = levels;
	const kind =
		purpose === "snapshot" ? PeerFrameKind.snapshotHello : PeerFrameKind.hello;
	return frame(kind, [
		numbers,
		...[clusterId, from, incarnation, to].map(name),
		Buffer.from([readsFrom, readsTo, writes]),
	]);
}

export function encodeWelcome(welcome: Omit<WelcomeFrame, "type">): Buffer {
	const version = Buffer.alloc(2);
	version.writeUInt16LE(welcome.version);
	return frame(PeerFrameKind.welcome, [
		version,
		name(welcome.nodeId),
		name(welcome.incarnation),
	]);
}

export function encodeRefused(refused: Omit<RefusedFrame, "type">): Buffer {
	const text = Buffer.from(refused.sentence).subarray(0, 512);
	const head = Buffer.alloc(3);
	head[0] = refusalCauses.indexOf(refused.cause);
	head.writeUInt16LE(text.length, 1);
	return frame(PeerFrameKind.refused, [head, text]);
}

/** Reads the first frame of an accepted connection. Throws FrameError. */
export function decodeHello(bytes: Buffer): HelloFrame {
	const cursor = new ByteCursor(bytes);
	const kind = cursor.u8();
	const isHello =
		kind === PeerFrameKind.hello || kind === PeerFrameKind.snapshotHello;
	if (!isHello || cursor.u32() !== magic)
		throw new FrameError("the first words are not those of a raftd peer");
	const oldestVersion = cursor.u16();
	const newestVersion = cursor.u16();
	const hello: HelloFrame = {
		...{ type: "hello", oldestVersion, newestVersion },
		clusterId: readName(cursor),
		from: readName(cursor),
		incarnation: readName(cursor),
		to: readName(cursor),
		levels: {
			readsFrom: cursor.u8(),
			readsTo: cursor.u8(),
			writes: cursor.u8(),
		},
		purpose: kind === PeerFrameKind.hello ? "messages" : "snapshot",
	};
	// A later version may say more; what it means is settled by the versions.
	if (newestVersion <= newestPeerVersion) cursor.end();
	return hello;
}

/** Reads the first frame that answers a hello. Throws FrameError. */
export function decodeGreeting(bytes: Buffer): WelcomeFrame | RefusedFrame {
	const cursor = new ByteCursor(bytes);
	const kind = cursor.u8();
	if (kind === PeerFrameKind.welcome) {
		const version = cursor.u16();
		const nodeId = readName(cursor);
		const incarnation = readName(cursor);
		return { type: "welcome", version, nodeId, incarnation };
	}
	if (kind !== PeerFrameKind.refused)
		throw new FrameError(`a hello answered by a frame of kind ${kind}`);
	const cause = refusalCauses[cursor.u8()];
	if (cause === undefined)
		throw new FrameError("a refusal for an unknown cause");
	return { type: "refused", cause, sentence: cursor.text(cursor.u16()) };
}

function frame(kind: number, parts: readonly Buffer[]): Buffer {
	const payload = Buffer.concat(parts);
	const head = Buffer.alloc(5);
	head.writeUInt32LE(1 + payload.length);
	head[4] = kind;
	return Buffer.concat([head, payload]);
}

function name(text: string): Buffer {
	const bytes = Buffer.from(text);
	if (bytes.length > maxNameBytes)
		throw new RangeError(`a name of ${bytes.length} bytes: ${text}`);
	return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function readName(cursor: ByteCursor): string {
	const bytes = cursor.bytes(cursor.u8());
	if (bytes.length === 0) throw new FrameError("an empty name in a handshake");
	// Two names that differ must not be read as one, nor one be too long to be said again.
	if (!isUtf8(bytes)) throw new FrameError("a name in a handshake is no text");
	return bytes.toString();
}
