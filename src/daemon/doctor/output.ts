import { once } from "node:events";
import type { Writable } from "node:stream";

/** Waits for a slow reader, and takes one that left (`raftd dump | head`) for the end, not for an error. */
export class Output {
	readonly #stream: Writable;
	readonly #failed: Promise<void>;
	#isClosed = false;
	#failure: Error | null = null;

	constructor(stream: Writable) {
		this.#stream = stream;
		this.#failed = new Promise((resolve) => {
			stream.on("error", (error: NodeJS.ErrnoException) => {
				this.#isClosed = true;
				if (error.code !== "EPIPE") this.#failure = error;
				resolve();
			});
		});
	}

	/** Nobody reads any more: whoever writes may stop. */
	get isClosed(): boolean {
		return this.#isClosed;
	}

	/** Resolves when there is room for more, or nobody left to read it. Rejects when the disk behind it fails. */
	async write(text: string): Promise<void> {
		if (!this.#isClosed && !this.#stream.write(text))
			await Promise.race([once(this.#stream, "drain"), this.#failed]);
		if (this.#failure !== null) throw this.#failure;
	}
}

/** Lines that are written together. */
const batchBytes = 64 * 1024;

/** Writes lines until there are no more, or nobody reads them. */
export async function writeLines(
	output: Output,
	lines: Iterable<string>,
): Promise<void> {
	let batch = "";
	for (const line of lines) {
		batch += `${line}\n`;
		if (batch.length < batchBytes) continue;
		await output.write(batch);
		batch = "";
		// An error of the pipe is told in a turn of its own.
		await new Promise((resolve) => setImmediate(resolve));
		if (output.isClosed) return;
	}
	await output.write(batch);
}
