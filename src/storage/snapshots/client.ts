import type { Calls } from "./calls.js";
import type {
	SnapshotDescription,
	SnapshotFile,
	SnapshotManifest,
	SnapshotReceiver,
	SnapshotStore,
	SnapshotWriter,
} from "./snapshot-store.js";

/** Bytes handed over to be written and not taken yet; beyond them `write` waits. */
export const maxInFlightBytes = 4 * 1024 * 1024;

/** Chunks that are asked for before they are wanted. */
const readAhead = 2;

/** The store as the node sees it: each call is a message, and an answer that comes later. */
export class SnapshotClient implements SnapshotStore {
	readonly #calls: Calls;
	#closed: Promise<void> | null = null;

	constructor(calls: Calls) {
		this.#calls = calls;
	}

	list(): readonly SnapshotManifest[] {
		return this.#calls.list;
	}

	async create(description: SnapshotDescription): Promise<SnapshotWriter> {
		const handle = this.#calls.newHandle();
		await this.#calls.ask({ kind: "create", handle, description });
		return new ClientWriter(this.#calls, handle);
	}

	async *read(index: number): AsyncGenerator<Uint8Array> {
		const handle = this.#calls.newHandle();
		await this.#calls.ask({ kind: "content", handle, index });
		const asked: Promise<Uint8Array | null>[] = [];
		try {
			for (;;) {
				while (asked.length < readAhead) asked.push(this.#askNext(handle));
				const chunk = await (asked.shift() as Promise<Uint8Array | null>);
				if (chunk === null) return;
				yield chunk;
			}
		} finally {
			await this.#calls.release(handle);
		}
	}

	async open(index: number): Promise<SnapshotFile | null> {
		const handle = this.#calls.newHandle();
		const manifest = await this.#calls.ask<SnapshotManifest | null>({
			kind: "open",
			handle,
			index,
		});
		if (manifest === null) return null;
		return {
			manifest,
			readAt: (offset, length) =>
				this.#calls.ask<Uint8Array>({ kind: "readAt", handle, offset, length }),
			close: () => this.#calls.release(handle),
		};
	}

	async receive(incoming: {
		readonly id: string;
		readonly index: number;
		readonly fileBytes: number;
	}): Promise<SnapshotReceiver> {
		const { id, index, fileBytes } = incoming;
		const handle = this.#calls.newHandle();
		const offset = await this.#calls.ask<number>({
			kind: "receive",
			handle,
			incoming: { id, index, fileBytes },
		});
		return {
			offset,
			// Each piece is answered: pieces come as fast as a network, and a damaged one is known at once.
			write: async (bytes) => {
				const own = ownBytes(bytes);
				await this.#calls.ask({ kind: "write", handle, bytes: own }, [
					own.buffer,
				]);
			},
			finish: () =>
				this.#calls.ask<SnapshotManifest>({ kind: "finish", handle }),
			suspend: () => this.#calls.release(handle),
		};
	}

	async prune(keep: number): Promise<void> {
		await this.#calls.ask({ kind: "prune", keep });
	}

	close(): Promise<void> {
		this.#closed ??= this.#calls.end();
		return this.#closed;
	}

	/** Rejects only for whoever waits for it: it may be asked for and never wanted. */
	#askNext(handle: number): Promise<Uint8Array | null> {
		const next = this.#calls.ask<Uint8Array | null>({ kind: "next", handle });
		next.catch(() => undefined);
		return next;
	}
}

/** Keeps the other thread busy, and no more than that: a few megabytes are on their way. */
class ClientWriter implements SnapshotWriter {
	readonly #calls: Calls;
	readonly #handle: number;
	#inFlightBytes = 0;
	#failure: Error | null = null;
	#waiting: (() => void) | null = null;

	constructor(calls: Calls, handle: number) {
		this.#calls = calls;
		this.#handle = handle;
	}

	/** Rejects when an earlier write failed, or still waits for room. A failure of this one may show at the next call. */
	async write(bytes: Uint8Array): Promise<void> {
		if (this.#failure !== null) throw this.#failure;
		if (this.#waiting !== null)
			throw new Error("an earlier write still waits for room");
		const own = ownBytes(bytes);
		const { length } = own;
		this.#inFlightBytes += length;
		this.#calls
			.ask({ kind: "write", handle: this.#handle, bytes: own }, [own.buffer])
			.then(
				() => this.#taken(length),
				(error: Error) => this.#fail(error),
			);
		if (this.#inFlightBytes < maxInFlightBytes) return;
		await new Promise<void>((resolve) => {
			this.#waiting = resolve;
		});
		if (this.#failure !== null) throw this.#failure;
	}

	async finish(): Promise<SnapshotManifest> {
		if (this.#failure !== null) throw this.#failure;
		// It comes after all writes: where one of them failed, this fails in the same way.
		return this.#calls.ask<SnapshotManifest>({
			kind: "finish",
			handle: this.#handle,
		});
	}

	abort(): Promise<void> {
		return this.#calls.release(this.#handle);
	}

	#taken(bytes: number): void {
		this.#inFlightBytes -= bytes;
		if (this.#inFlightBytes < maxInFlightBytes) this.#wake();
	}

	#fail(error: Error): void {
		if (this.#failure === null) void this.#calls.release(this.#handle);
		this.#failure ??= error;
		this.#wake();
	}

	#wake(): void {
		this.#waiting?.();
		this.#waiting = null;
	}
}

/**
 * A whole buffer, which can change threads without a copy. A piece of a larger one is copied: the rest, perhaps a whole
 * pool of Node's, has other owners.
 */
function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
	const { buffer, byteLength } = bytes;
	const whole =
		buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
	return whole ? new Uint8Array(buffer) : new Uint8Array(bytes);
}
