import type { Message, NodeId } from "../../raft/types.js";
import type { SnapshotStore } from "../../storage/snapshots/snapshot-store.js";
import type { ForwardFrame, OutcomesFrame } from "../../wire/forward-frames.js";
import type { Diagnose } from "./complaints.js";
import type { Incarnations, PeerIdentity, PeerRules } from "./handshake.js";
import type { PeerTransport } from "./transport.js";

export interface PeersOptions {
	readonly self: PeerIdentity;
	/** "host:port" */
	readonly listen: string;
	readonly incarnations: Incarnations;
	readonly diagnose: Diagnose;
	readonly writeLevel: PeerRules["writeLevel"];
	/** Whose snapshots others may fetch, and into which theirs go. */
	readonly store: SnapshotStore;
	readonly maxSnapshotBytesPerSecond: number;
	/** Default: 15 s. */
	readonly snapshotStallMs?: number;
	readonly maxQueuedBytes: number;
	/** Default: plain TCP. */
	readonly transport?: PeerTransport;
	readonly events: PeerEvents;
}

interface PeerEvents {
	/** `block`: the entries of an append-request, as they came. */
	onMessage(message: Message, block: Uint8Array | null): void;
	/** `link` names the connection it came on: an answer makes sense only while that one lives. */
	onForward(from: NodeId, link: number, frame: ForwardFrame): void;
	onOutcomes(from: NodeId, frame: OutcomesFrame): void;
	/** A snapshot of this node cannot be read any more. */
	onSnapshotDamaged(): void;
	/** Both directions are alive. */
	onConnected(peer: NodeId): void;
	/** One direction broke: what was under way, either way, may be lost. */
	onBroken(peer: NodeId, direction: "to" | "from"): void;
}

export interface PeerCounters {
	framesIn: number;
	badFrames: number;
	refused: number;
	/** Messages for a peer without a link. */
	dropped: number;
	/** Of the files themselves. */
	snapshotBytesSent: number;
	snapshotBytesRead: number;
}
