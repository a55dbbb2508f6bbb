import type { Socket } from "node:net";
import type {
	SnapshotManifest,
	SnapshotReceiver,
	SnapshotStore,
} from "../../storage/snapshots/snapshot-store.js";
import { FrameError, FrameSplitter } from "../../wire/frame-splitter.js";
import {
	decodeGreeting,
	encodeHello,
	newestPeerVersion,
	oldestPeerVersion,
} from "../../wire/peer-handshake.js";
import {
	decodeSnapshotFrame,
	encodeSnapshotFrame,
	maxSnapshotFrameBytes,
	type SnapshotFrame,
} from "../../wire/snapshot-frames.js";
import {
	type Incarnations,
	type PeerIdentity,
	refuseWelcome,
} from "./handshake.js";
import type { PeerCounters } from "./peer-events.js";
import type { PeerTransport } from "./transport.js";

interface FetchOptions {
	readonly self: PeerIdentity;
	readonly incarnations: Incarnations;
	readonly store: SnapshotStore;
	readonly transport: PeerTransport;
	readonly from: string;
	readonly address: string;
	readonly index: number;
	readonly signal: AbortSignal;
	/** Judged by progress, not by the whole time: a large state over a slow link takes as long as it takes (P65). */
	readonly snapshotStallMs: number;
	readonly counters: Pick<PeerCounters, "snapshotBytesRead">;
}

/**
 * Fetches the snapshot at `index` from a peer; null when the peer has it no longer. What an earlier attempt has brought
 * is kept, and the transfer goes on behind it. Rejects when the connection breaks or stalls: ask again.
 */
export async function fetchSnapshot(
	options: FetchOptions,
): Promise<SnapshotManifest | null> {
	const { self, from, address, store, index, signal } = options;
	const socket = options.transport.dial(address, from);
	const abort = () => socket.destroy();
	signal.addEventListener("abort", abort);
	let receiver: SnapshotReceiver | null = null;
	try {
		const frames = new Frames(socket, options.snapshotStallMs);
		socket.write(
			encodeHello({
				oldestVersion: oldestPeerVersion,
				newestVersion: newestPeerVersion,
				clusterId: self.clusterId,
				from: self.nodeId,
				incarnation: self.incarnation,
				to: from,
				levels: self.levels,
				purpose: "snapshot",
			}),
		);
		greet(await frames.next(), options);
		socket.write(encodeSnapshotFrame({ type: "request", index }));
		const head = decodeSnapshotFrame(await frames.next());
		if (head.type === "gone") return null;
		if (head.type !== "head" || head.index !== index) throw unexpected(head);
		receiver = await store.receive(head);
		const { offset } = receiver;
		socket.write(encodeSnapshotFrame({ type: "from", offset }));
		await receive(frames, receiver, { ...options, fileBytes: head.fileBytes });
		const finishing = receiver;
		receiver = null;
		return await finishing.finish();
	} finally {
		signal.removeEventListener("abort", abort);
		socket.destroy();
		await receiver?.suspend();
	}
}

function greet(
	frame: Buffer,
	{ self, incarnations, from }: FetchOptions,
): void {
	const greeting = decodeGreeting(frame);
	const refusal =
		greeting.type === "refused"
			? greeting
			: refuseWelcome(greeting, from, { self, incarnations });
	if (refusal !== null) throw new Error(refusal.sentence);
}

async function receive(
	frames: Frames,
	receiver: SnapshotReceiver,
	{ fileBytes, counters }: { fileBytes: number } & FetchOptions,
): Promise<void> {
	let offset = receiver.offset;
	while (offset < fileBytes) {
		const frame = decodeSnapshotFrame(await frames.next());
		if (frame.type !== "data" || frame.offset !== offset)
			throw unexpected(frame);
		offset += frame.bytes.length;
		counters.snapshotBytesRead += frame.bytes.length;
		if (offset > fileBytes || frame.bytes.length === 0)
			throw new FrameError("a snapshot of another length than was said");
		// A copy of its own: the receiver takes the bytes over, and a chunk of the socket holds more than these.
		await receiver.write(new Uint8Array(frame.bytes));
	}
}

/** Beyond so many unread frames the socket waits. */
const maxWaiting = 8;

/** Frames of a socket, one at a time; the socket is not read further than is taken. */
class Frames {
	readonly #socket: Socket;
	#frames: Buffer[] = [];
	#failure: Error | null = null;
	#wake: () => void = () => {};

	constructor(socket: Socket, stallMs: number) {
		this.#socket = socket;
		const splitter = new FrameSplitter({
			minFrameBytes: 1,
			maxFrameBytes: maxSnapshotFrameBytes,
		});
		socket.setTimeout(stallMs, () =>
			this.#fail(new Error(`nothing came for ${stallMs} ms`)),
		);
		socket.on("error", (error) => this.#fail(error));
		socket.on("close", () => this.#fail(new Error("the connection ended")));
		socket.on("data", (chunk: Buffer) => {
			try {
				splitter.push(chunk, (frame) => this.#frames.push(frame));
			} catch (error) {
				this.#fail(error as Error);
			}
			if (this.#frames.length > maxWaiting) socket.pause();
			this.#wake();
		});
	}

	async next(): Promise<Buffer> {
		for (;;) {
			const frame = this.#frames.shift();
			if (this.#frames.length <= maxWaiting / 2) this.#socket.resume();
			if (frame !== undefined) return frame;
			if (this.#failure !== null) throw this.#failure;
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
	}

	#fail(error: Error): void {
		this.#failure ??= error;
		this.#socket.destroy();
		this.#wake();
	}
}

function unexpected({ type }: SnapshotFrame): Error {
	return new Error(`an unexpected frame (${type}) about a snapshot`);
}
