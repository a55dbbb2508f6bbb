import {
	MessageChannel,
	type MessagePort,
	receiveMessageOnPort,
	Worker,
} from "node:worker_threads";
import { receiveError } from "../hand-over.js";
import { realDisk } from "../real-disk.js";
import { Calls, type DeskLink } from "./calls.js";
import { SnapshotClient } from "./client.js";
import { SnapshotDesk } from "./desk.js";
import { type DirectoryOptions, SnapshotDirectory } from "./directory.js";
import type { FromSnapshots, Request, SnapshotsStart } from "./hand-over.js";
import type { SnapshotStore } from "./snapshot-store.js";

export interface OpenSnapshotsOptions {
	/** The snapshots' own directory; made when it is not there. The caller holds the lock on the data directory. */
	readonly directory: string;
	readonly clusterId: string;
	readonly nodeId: string;
	/** The compiled worker.ts. By default the one beside this file; run from source, the caller's thread is used. */
	readonly workerUrl?: URL;
}

export interface OpenedSnapshots {
	readonly store: SnapshotStore;
	/** A sentence for each file that was removed because it was never finished, or that cannot be used. */
	readonly repaired: string[];
}

/**
 * Opens the snapshots on a thread of their own. A file that cannot be used is no failure: it is left out and reported.
 * Rejects when the disk fails.
 */
export async function openSnapshotStore(
	options: OpenSnapshotsOptions,
): Promise<OpenedSnapshots> {
	const { workerUrl = besideThis, ...place } = options;
	if (workerUrl === null)
		return openSnapshotsInThread({ ...place, disk: realDisk });
	return new SnapshotThread(workerUrl, place).opened;
}

const besideThis = import.meta.url.endsWith(".ts")
	? null
	: new URL("./worker.js", import.meta.url);

/** For tests, and where the program runs from source: the same store, on the caller's thread, on any disk. */
export async function openSnapshotsInThread(
	options: DirectoryOptions,
): Promise<OpenedSnapshots> {
	const { snapshots, repaired } = SnapshotDirectory.open(options);
	const desk = new SnapshotDesk(snapshots);
	const calls: Calls = new Calls({
		post: (request) =>
			setImmediate(() => calls.answered(desk.answer(request).answer)),
		close: async () => undefined,
	});
	calls.opened(snapshots.list());
	return { store: new SnapshotClient(calls), repaired };
}

class SnapshotThread implements DeskLink {
	readonly opened: Promise<OpenedSnapshots>;
	readonly #calls = new Calls(this);
	readonly #port: MessagePort;
	readonly #ended: Promise<void>;
	#begun: ((repaired: string[]) => void) | null = null;
	#failed: ((error: Error) => void) | null = null;

	constructor(workerUrl: URL, place: Omit<SnapshotsStart, "port">) {
		const { port1, port2 } = new MessageChannel();
		this.#port = port1;
		const start: SnapshotsStart = { ...place, port: port2 };
		const worker = new Worker(workerUrl, {
			workerData: start,
			transferList: [port2],
			name: "snapshots",
		});
		const begun = new Promise<string[]>((resolve, reject) => {
			this.#begun = resolve;
			this.#failed = reject;
		});
		this.opened = begun.then((repaired) => ({
			store: new SnapshotClient(this.#calls),
			repaired,
		}));
		this.#ended = new Promise((resolve) => {
			worker.once("exit", () => {
				this.#end();
				resolve();
			});
		});
		worker.once("error", (error) => this.#fail(error));
		port1.on("message", (message: FromSnapshots) => this.#receive(message));
	}

	post(request: Request, transfer: ArrayBuffer[]): void {
		this.#port.postMessage(request, transfer);
	}

	close(): Promise<void> {
		return this.#ended;
	}

	#receive(message: FromSnapshots): void {
		if (message.kind === "answer") this.#calls.answered(message.answer);
		else if (message.kind === "failed") this.#fail(receiveError(message.error));
		else {
			this.#calls.opened(message.list);
			this.#begun?.(message.repaired);
		}
	}

	#end(): void {
		// The end of a thread may overtake its last words.
		for (;;) {
			const left = receiveMessageOnPort(this.#port);
			if (left === undefined) break;
			this.#receive(left.message);
		}
		this.#port.close();
		this.#fail(new Error("the snapshots' thread ended"));
	}

	/** Nobody answers any more. Of no effect after an orderly end. */
	#fail(error: Error): void {
		this.#failed?.(error);
		this.#calls.fail(error);
	}
}
