import { openLogStorage } from "../../src/storage/open.js";
import { batchOf, entry } from "./history.js";

/**
 * A process to be killed: appends without end, in bursts, compacts now and then, and tells its parent the last index
 * that is durable.
 */
const [directory = "", worker = ""] = process.argv.slice(2);

const first = { sequence: 0, index: 0 };
let sequence = 0;
let index = 0;

const { log, recovered } = await openLogStorage(
	{
		directory,
		clusterId: "cluster",
		nodeId: "n1",
		segmentBytes: 64 * 1024,
		workerUrl: new URL(worker),
	},
	{
		onDurable(done) {
			process.send?.(first.index + done - first.sequence);
			if (sequence - done < 40) append(1 + (done % 60));
		},
		onFailure(error) {
			throw error;
		},
	},
);

function append(count: number): void {
	for (let at = 0; at < count; at += 1) {
		index += 1;
		sequence += 1;
		log.append(batchOf(sequence, [entry(index, 1, `entry ${index}`)]));
		if (index % 300 === 0) log.compact(index - 200);
	}
}

index = recovered.lastIndex;
first.index = index;
append(10);
