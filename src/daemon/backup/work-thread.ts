import {
	MessageChannel,
	type MessagePort,
	receiveMessageOnPort,
	Worker,
} from "node:worker_threads";
import { OperatorError } from "../../errors.js";
import { receiveError, type SentError } from "../../storage/hand-over.js";
import { realDisk } from "../../storage/real-disk.js";
import type { Copied } from "./copy.js";
import { perform, type Work } from "./work.js";

export interface WorkStart {
	readonly port: MessagePort;
	readonly work: Work;
}

export type FromWorker =
	| { readonly kind: "progress" }
	| { readonly kind: "done"; readonly copied: Copied | null }
	| { readonly kind: "failed"; readonly error: SentError };

/** How long work may stand still; what it does in between is bounded where it is done (P65). */
function stallOf(work: Work): number {
	if (work.kind === "hook") return work.order.limitMs + 10_000;
	return work.kind === "copy" ? 60_000 : 330_000;
}

/** After it was told to end. */
const defaultEndLimitMs = 5_000;

interface WorkThreadsOptions {
	/** The compiled worker.ts; by default the one beside this file. Null: on the caller's thread. */
	readonly workerUrl?: URL | null;
	readonly stallMs?: (work: Work) => number;
	readonly endLimitMs?: number;
}

/**
 * Does work on threads of their own, one at a time: copying, hashing and signing hundreds of megabytes hold up neither
 * commands nor heartbeats, and a directory on a server that has gone holds up nothing but itself.
 */
export class WorkThreads {
	readonly #workerUrl: URL | null;
	readonly #stallMs: (work: Work) => number;
	readonly #endLimitMs: number;
	/** The one that did not end when it was told to: it hangs in the kernel, and another would hang beside it. */
	#hanging: Work["kind"] | null = null;

	constructor(options: WorkThreadsOptions = {}) {
		this.#workerUrl =
			options.workerUrl === undefined ? besideThis : options.workerUrl;
		this.#stallMs = options.stallMs ?? stallOf;
		this.#endLimitMs = options.endLimitMs ?? defaultEndLimitMs;
	}

	/** Rejects with a sentence, or with the signal's reason. */
	async run(work: Work, signal: AbortSignal): Promise<Copied | null> {
		signal.throwIfAborted();
		if (this.#hanging !== null)
			throw fault(
				`an earlier ${this.#hanging} still hangs: is the directory on a server that has gone?`,
			);
		if (this.#workerUrl === null)
			return await perform(work, {
				disk: realDisk,
				signal,
				onProgress: () => {},
			});
		return await this.#onThread(this.#workerUrl, work, signal);
	}

	async #onThread(
		url: URL,
		work: Work,
		signal: AbortSignal,
	): Promise<Copied | null> {
		const { port1: port, port2 } = new MessageChannel();
		const start: WorkStart = { port: port2, work };
		const worker = new Worker(url, {
			...{ workerData: start, transferList: [port2], name: "backup" },
			// Nothing that lies about in raftd's environment or home steers the S3 client; and how long its makers will
			// support this Node.js is no news to whoever runs raftd.
			env: {
				AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
				AWS_CONFIG_FILE: "/dev/null",
				AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
			},
		});
		const ended = new Promise<void>((resolve) => worker.once("exit", resolve));
		const stop = new AbortController();
		const onAbort = () => stop.abort(signal.reason);
		signal.addEventListener("abort", onAbort, { once: true });
		try {
			const stallMs = this.#stallMs(work);
			return await outcomeOf({ worker, port, ended, work, stop, stallMs });
		} finally {
			signal.removeEventListener("abort", onAbort);
			this.#hanging = work.kind;
			const isGone = ended.then(() => {
				this.#hanging = null;
			});
			await within(isGone, this.#endLimitMs);
			if (this.#hanging !== null)
				await within(worker.terminate(), this.#endLimitMs);
			port.close();
		}
	}
}

const besideThis = import.meta.url.endsWith(".ts")
	? null
	: new URL("./worker.js", import.meta.url);

/** What the thread says at last; or that it was told to end, or says nothing any more. */
function outcomeOf(options: {
	readonly worker: Worker;
	readonly port: MessagePort;
	readonly ended: Promise<void>;
	readonly work: Work;
	readonly stop: AbortController;
	readonly stallMs: number;
}): Promise<Copied | null> {
	const { worker, port, ended, work, stop, stallMs } = options;
	return new Promise((resolve, reject) => {
		const stall = setTimeout(
			() =>
				stop.abort(
					fault(`the ${work.kind} has stood still for ${stallMs / 1000} s`),
				),
			stallMs,
		);
		stop.signal.addEventListener("abort", () => {
			clearTimeout(stall);
			port.postMessage("cancel");
			// It may have to end a command, or to give up an upload: that is waited for, by the caller.
			reject(stop.signal.reason);
		});
		const hear = (message: FromWorker) => {
			stall.refresh();
			if (message.kind === "progress") return;
			clearTimeout(stall);
			if (message.kind === "done") resolve(message.copied);
			else reject(receiveError(message.error));
		};
		port.on("message", hear);
		const onGone = (error: unknown) => {
			clearTimeout(stall);
			reject(error);
		};
		worker.once("error", onGone);
		ended.then(() => {
			// The end may be told before the last words, which lie at the port by then.
			for (let left = receiveMessageOnPort(port); left !== undefined; ) {
				hear(left.message);
				left = receiveMessageOnPort(port);
			}
			onGone(fault(`the thread of the ${work.kind} ended`));
		});
	});
}

async function within(work: Promise<unknown>, limitMs: number): Promise<void> {
	let timer: NodeJS.Timeout | undefined;
	const limit = new Promise<void>((resolve) => {
		timer = setTimeout(resolve, limitMs);
	});
	await Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

function fault(message: string): OperatorError {
	return new OperatorError("unexpected", message);
}
