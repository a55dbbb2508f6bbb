import { workerData } from "node:worker_threads";
import type { SnapshotsStart } from "../../../src/storage/snapshots/hand-over.js";

/** Says that it is open, and fails at the first request. */
const { port } = workerData as SnapshotsStart;

port.on("message", () => {
	throw new Error("the end");
});
port.postMessage({ kind: "opened", list: [], repaired: [] });
