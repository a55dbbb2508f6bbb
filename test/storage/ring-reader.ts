import { parentPort, workerData } from "node:worker_threads";
import { BatchRingReader } from "../../src/storage/batch-ring.js";

/** Adds up all bytes of so many pieces, and posts the sum; it gives room back after every third. */
const { shared, pieces } = workerData as {
	readonly shared: SharedArrayBuffer;
	readonly pieces: number;
};
const reader = new BatchRingReader(shared);
let sum = 0;
for (let serial = 1; serial <= pieces; ) {
	const piece = reader.take(serial);
	if (piece === null) {
		reader.release();
		continue;
	}
	for (const byte of piece) sum += byte;
	if (serial % 3 === 0) reader.release();
	serial += 1;
}
parentPort?.postMessage(sum);
