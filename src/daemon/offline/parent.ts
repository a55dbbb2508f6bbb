import { Worker } from "node:worker_threads";

/**
 * Ends this process as soon as its standard input does: whoever started it holds the other end, and is gone then, however it
 * went. On a thread of its own, as this one may be busy for minutes; ended as by a kill, which every file here bears.
 */
export function endWithStdin(): void {
	new Worker(watch, { eval: true, execArgv: [] }).unref();
}

/** Waits without a thread's read in the kernel, which would hold up the end of a process that is done. */
const watch = `
const { Socket } = require("node:net");
const end = () => process.kill(process.pid, "SIGKILL");
try {
	const input = new Socket({ fd: 0, readable: true, writable: false });
	input.on("end", end).on("error", end).resume();
} catch {
	// A file or a terminal: nobody holds its other end.
}
`;
