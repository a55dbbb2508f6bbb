import type { Socket } from "node:net";
import { reasonOf } from "../../errors.js";
import type {
	SnapshotFile,
	SnapshotStore,
} from "../../storage/snapshots/snapshot-store.js";
import { FrameSplitter } from "../../wire/frame-splitter.js";
import {
	decodeSnapshotFrame,
	encodeSnapshotDataHead,
	encodeSnapshotFrame,
	maxSnapshotFrameBytes,
	type SnapshotFrame,
	snapshotPieceBytes,
} from "../../wire/snapshot-frames.js";
import type { Diagnose } from "./complaints.js";
import type { PeerCounters } from "./peer-events.js";

/** Transfers at once; a cluster has few members, and one disk. */
const maxTransfers = 4;
interface SenderOptions {
	readonly store: SnapshotStore;
	readonly maxSnapshotBytesPerSecond: number;
	/** A receiver that takes nothing for so long is gone; however slow it is otherwise, it is waited for (P65). */
	readonly snapshotStallMs: number;
	readonly diagnose: Diagnose;
	readonly counters: Pick<PeerCounters, "snapshotBytesSent">;
	/** A snapshot of this node cannot be read any more: it should take another. */
	onDamaged(): void;
}

/** Gives snapshots to peers that ask, each on a connection of its own, so that no heartbeat waits behind one. */
export class SnapshotSender {
	readonly #options: SenderOptions;
	readonly #sockets = new Set<Socket>();
	/** Indexes of snapshots that went out to their last byte; no more of them than snapshots there were. */
	readonly #sentWhole = new Set<number>();

	constructor(options: SenderOptions) {
		this.#options = options;
	}

	/** The peer has been welcomed, and will say which one it wants. */
	serve(socket: Socket, to: string): void {
		if (this.#sockets.size >= maxTransfers) {
			socket.destroy();
			return;
		}
		this.#sockets.add(socket);
		socket.setTimeout(this.#options.snapshotStallMs, () => socket.destroy());
		this.#send(socket)
			.catch((error) =>
				this.#options.diagnose("info", "a snapshot was not sent whole", {
					...{ to, reason: reasonOf(error) },
				}),
			)
			.finally(() => {
				this.#sockets.delete(socket);
				socket.destroySoon();
			});
	}

	close(): void {
		for (const socket of this.#sockets) socket.destroy();
	}

	async #send(socket: Socket): Promise<void> {
		const questions = new Questions(socket);
		const request = await questions.next();
		if (request.type !== "request") throw unexpected(request);
		await this.#checkAgain(request.index);
		const file = await this.#options.store.open(request.index);
		if (file === null) {
			socket.write(encodeSnapshotFrame({ type: "gone" }));
			return;
		}
		try {
			const { id, index, fileBytes } = file.manifest;
			const head = { type: "head", index, fileBytes, id } as const;
			socket.write(encodeSnapshotFrame(head));
			const from = await questions.next();
			if (from.type !== "from" || from.offset > fileBytes)
				throw unexpected(from);
			await this.#sendFile(socket, file, from.offset);
		} finally {
			await file.close();
		}
	}

	/**
	 * Who asks again for what it was sent whole could not use it. Bytes are sent unread; so now they are read, and a file
	 * that is damaged is struck off the list, and another one taken.
	 */
	async #checkAgain(index: number): Promise<void> {
		const { store, diagnose, onDamaged } = this.#options;
		if (!this.#sentWhole.delete(index)) return;
		try {
			for await (const _ of store.read(index));
		} catch (error) {
			diagnose("error", "a snapshot is damaged on this node's disk", {
				...{ index, reason: reasonOf(error) },
			});
			onDamaged();
		}
	}

	/** No faster than allowed, and never more in memory than the socket takes. */
	async #sendFile(
		socket: Socket,
		file: SnapshotFile,
		from: number,
	): Promise<void> {
		const { maxSnapshotBytesPerSecond, counters } = this.#options;
		const { fileBytes } = file.manifest;
		// However slow it is sent, something is sent every second: silence is taken for the end (P65).
		const pieceBytes = Math.min(snapshotPieceBytes, maxSnapshotBytesPerSecond);
		const sinceMs = performance.now();
		let offset = from;
		while (offset < fileBytes) {
			const bytes = await file.readAt(offset, pieceBytes);
			if (socket.destroyed) throw new Error("the connection ended");
			socket.cork();
			socket.write(encodeSnapshotDataHead(offset, bytes.length));
			const hasRoom = socket.write(bytes);
			socket.uncork();
			offset += bytes.length;
			counters.snapshotBytesSent += bytes.length;
			if (!hasRoom) await drained(socket);
			const dueMs = ((offset - from) / maxSnapshotBytesPerSecond) * 1000;
			const aheadMs = dueMs - (performance.now() - sinceMs);
			if (aheadMs >= 1)
				await new Promise((resolve) => setTimeout(resolve, aheadMs));
		}
		this.#sentWhole.add(file.manifest.index);
		// Closed by the receiver once it has it all.
		await ended(socket);
	}
}

/** What the receiver says, a frame at a time. */
class Questions {
	#frames: SnapshotFrame[] = [];
	#failure: Error | null = null;
	#wake: () => void = () => {};

	constructor(socket: Socket) {
		const splitter = new FrameSplitter({
			minFrameBytes: 1,
			maxFrameBytes: maxSnapshotFrameBytes,
		});
		const fail = (error: Error) => {
			this.#failure ??= error;
			this.#wake();
		};
		socket.on("error", fail);
		socket.on("close", () => fail(new Error("the connection ended")));
		socket.on("data", (chunk: Buffer) => {
			try {
				splitter.push(chunk, (frame) => {
					// It asks twice; more is not a question but an attack on memory.
					if (this.#frames.length < 2)
						this.#frames.push(decodeSnapshotFrame(frame));
				});
			} catch (error) {
				fail(error as Error);
				socket.destroy();
			}
			this.#wake();
		});
	}

	async next(): Promise<SnapshotFrame> {
		for (;;) {
			const frame = this.#frames.shift();
			if (frame !== undefined) return frame;
			if (this.#failure !== null) throw this.#failure;
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
	}
}

function unexpected({ type }: SnapshotFrame): Error {
	return new Error(`an unexpected frame (${type}) about a snapshot`);
}

function drained(socket: Socket): Promise<void> {
	return new Promise((resolve, reject) => {
		const done = () => {
			socket.off("drain", done);
			socket.off("close", closed);
			resolve();
		};
		const closed = () => {
			socket.off("drain", done);
			reject(new Error("the connection ended"));
		};
		if (socket.destroyed) {
			closed();
			return;
		}
		socket.once("drain", done);
		socket.once("close", closed);
	});
}

function ended(socket: Socket): Promise<void> {
	if (socket.destroyed) return Promise.resolve();
	return new Promise((resolve) => socket.once("close", () => resolve()));
}
