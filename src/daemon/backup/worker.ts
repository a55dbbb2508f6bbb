import { workerData } from "node:worker_threads";
import { sendError } from "../../storage/hand-over.js";
import { realDisk } from "../../storage/real-disk.js";
import { perform } from "./work.js";
import type { FromWorker, WorkStart } from "./work-thread.js";

/** The thread of one piece of work: a directory, a command or a server may be as slow as they like (P67, P68). */
const { port, work } = workerData as WorkStart;
const cancelled = new AbortController();

function say(message: FromWorker): void {
	port.postMessage(message);
}

port.on("message", () => cancelled.abort(new Error("the work was given up")));

perform(work, {
	disk: realDisk,
	signal: cancelled.signal,
	onProgress: () => say({ kind: "progress" }),
})
	.then(
		(copied) => say({ kind: "done", copied }),
		(error) => say({ kind: "failed", error: sendError(error) }),
	)
	.finally(() => port.close());
