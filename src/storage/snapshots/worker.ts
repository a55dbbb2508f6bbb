import { workerData } from "node:worker_threads";
import { sendError } from "../hand-over.js";
import { realDisk } from "../real-disk.js";
import { SnapshotDesk } from "./desk.js";
import { SnapshotDirectory } from "./directory.js";
import type { FromSnapshots, Request, SnapshotsStart } from "./hand-over.js";

/**
 * The snapshots' own thread. Calls to the disk are synchronous, as the libuv pool is shared with zlib and DNS (P67); here
 * they hold up other snapshots at most.
 */
const { port, ...place } = workerData as SnapshotsStart;

function say(message: FromSnapshots, transfer: ArrayBuffer[] = []): void {
	port.postMessage(message, transfer);
}

try {
	const { snapshots, repaired } = SnapshotDirectory.open({
		...place,
		disk: realDisk,
	});
	const desk = new SnapshotDesk(snapshots);
	port.on("message", (request: Request) => {
		const { answer, transfer } = desk.answer(request);
		say({ kind: "answer", answer }, transfer);
		if (request.kind === "end") port.close();
	});
	say({ kind: "opened", list: snapshots.list(), repaired });
} catch (error) {
	say({ kind: "failed", error: sendError(error) });
	port.close();
}
