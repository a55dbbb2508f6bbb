import { sendError } from "../hand-over.js";
import type {
	OpenContent,
	OpenSnapshot,
	SnapshotDirectory,
} from "./directory.js";
import { FileReceiver } from "./file-receiver.js";
import { FileWriter } from "./file-writer.js";
import type { Answer, AnswerValue, Request } from "./hand-over.js";
import type { SnapshotManifest } from "./snapshot-store.js";

/** Carries out requests, one after another. A failure is an answer; nothing is thrown. */
export class SnapshotDesk {
	readonly #snapshots: SnapshotDirectory;
	readonly #files = new Map<number, FileWriter | FileReceiver>();
	readonly #contents = new Map<number, OpenContent>();
	readonly #opened = new Map<number, OpenSnapshot>();
	#told: readonly SnapshotManifest[];

	constructor(snapshots: SnapshotDirectory) {
		this.#snapshots = snapshots;
		this.#told = snapshots.list();
	}

	/** The answer, and the buffers in it that may be handed over. */
	answer(request: Request): {
		readonly answer: Answer;
		readonly transfer: ArrayBuffer[];
	} {
		let value: AnswerValue = null;
		let error: Answer["error"] = null;
		try {
			value = this.#carryOut(request);
		} catch (thrown) {
			error = sendError(thrown);
		}
		const now = this.#snapshots.list();
		const list = now === this.#told ? null : now;
		this.#told = now;
		const transfer =
			value instanceof Uint8Array ? [value.buffer as ArrayBuffer] : [];
		return { answer: { id: request.id, value, error, list }, transfer };
	}

	#carryOut(request: Request): AnswerValue {
		if (request.kind === "end") return this.#end();
		if (request.kind === "prune") {
			this.#snapshots.prune(request.keep);
			return null;
		}
		const { handle } = request;
		switch (request.kind) {
			case "create":
				this.#files.set(handle, this.#snapshots.create(request.description));
				return null;
			case "receive": {
				const receiver = this.#snapshots.receive(request.incoming);
				this.#files.set(handle, receiver);
				return receiver.offset;
			}
			case "write":
				at(this.#files, handle).write(request.bytes);
				return null;
			case "finish": {
				const file = at(this.#files, handle);
				this.#files.delete(handle);
				return this.#snapshots.finish(file);
			}
			case "content":
				this.#contents.set(handle, this.#snapshots.content(request.index));
				return null;
			case "next":
				return at(this.#contents, handle).next();
			case "open": {
				const opened = this.#snapshots.open(request.index);
				if (opened !== null) this.#opened.set(handle, opened);
				return opened?.manifest ?? null;
			}
			case "readAt":
				return at(this.#opened, handle).readAt(request.offset, request.length);
			case "release":
				return this.#release(handle);
		}
	}

	/** Of a handle that is gone already it is no mistake. */
	#release(handle: number): null {
		const file = this.#files.get(handle);
		if (file instanceof FileWriter) file.abort();
		if (file instanceof FileReceiver) file.suspend();
		this.#contents.get(handle)?.close();
		this.#opened.get(handle)?.close();
		for (const map of [this.#files, this.#contents, this.#opened])
			map.delete(handle);
		return null;
	}

	/** Gives up what is being written, keeps what was received, closes what is read. */
	#end(): null {
		for (const map of [this.#files, this.#contents, this.#opened])
			for (const handle of [...map.keys()]) this.#release(handle);
		return null;
	}
}

function at<T>(map: ReadonlyMap<number, T>, handle: number): T {
	const found = map.get(handle);
	if (found === undefined) throw new Error("it is closed");
	return found;
}
