import { encodeConfiguration } from "../../../src/raft/codec.js";
import type { Configuration, Status } from "../../../src/raft/types.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/** The rules of one node's numbers among themselves, and against its disk. */
export function checkOrder(node: SimNode, status: Status): void {
	const { firstIndex, snapshotIndex, applied, commit } = status;
	const { durableIndex, lastIndex } = status;
	const { log, logBytes, disk } = node;
	demand(
		firstIndex - 1 <= snapshotIndex &&
			snapshotIndex <= commit &&
			// While the machine is brought to where a snapshot stands, the log already begins there.
			firstIndex - 1 <= Math.max(applied, node.applier.restoringTo) &&
			applied <= commit &&
			applied <= durableIndex &&
			commit <= lastIndex &&
			durableIndex <= lastIndex,
		"ordering",
		() =>
			`${node.id}: first ${firstIndex}, snapshot ${snapshotIndex}, applied ${applied}, commit ${commit}, durable ${durableIndex}, last ${lastIndex}`,
	);
	demand(
		lastIndex === log.length &&
			status.lastTerm === (log[lastIndex - 1]?.term ?? 0),
		"log-agrees",
		() =>
			`${node.id} says last ${lastIndex}/t${status.lastTerm}; handed in up to ${log.length}`,
	);
	demand(
		durableIndex <= disk.snapshotIndex ||
			disk.entries[durableIndex - 1] === log[durableIndex - 1],
		"durable-index",
		() =>
			`${node.id} takes ${durableIndex} for durable; its disk ends at ${disk.entries.length} or differs there`,
	);
	const uncommitted =
		(logBytes[lastIndex] as number) - (logBytes[commit] as number);
	demand(
		status.uncommittedBytes === uncommitted,
		"uncommitted-bytes",
		() =>
			`${node.id} counts ${status.uncommittedBytes} uncommitted bytes; they are ${uncommitted}`,
	);
	checkConfiguration(node, status);
}

/** The configuration in force is the newest in the log, committed or not (P21, P22). */
function checkConfiguration(node: SimNode, status: Status): void {
	const { index, configuration } = node.handed.configuration;
	const before = node.seen?.configuration;
	demand(
		status.configurationIndex === index &&
			(status.configuration === before ||
				isSame(status.configuration, configuration)),
		"configuration",
		() =>
			`${node.id} goes by the configuration of ${status.configurationIndex}; the newest in its log is that of ${index}`,
	);
}

function isSame(a: Configuration, b: Configuration): boolean {
	return String(encodeConfiguration(a)) === String(encodeConfiguration(b));
}

/** Within an incarnation nothing goes back, and a term has one vote and one leader. */
export function checkMonotonic(
	node: SimNode,
	before: Status,
	status: Status,
): void {
	const sameTerm = status.term === before.term;
	demand(
		status.term >= before.term &&
			status.commit >= before.commit &&
			status.applied >= before.applied,
		"monotonic",
		() =>
			`${node.id} went back: ${JSON.stringify(before)} then ${JSON.stringify(status)}`,
	);
	demand(
		!sameTerm ||
			before.votedFor === null ||
			status.votedFor === before.votedFor,
		"one-vote",
		() =>
			`${node.id} changed its vote in term ${status.term} from ${before.votedFor} to ${status.votedFor}`,
	);
	demand(
		!sameTerm ||
			before.leader === null ||
			status.leader === null ||
			before.leader === status.leader,
		"election-safety",
		() =>
			`${node.id} follows ${before.leader}, then ${status.leader} in term ${status.term}`,
	);
}

/** The entries in memory stay within their limit, but for those that are still needed. */
export function checkWindow(
	node: SimNode,
	status: Status,
	windowBytes: number,
): void {
	const needed = Math.min(
		node.driver.droppable,
		status.durableIndex,
		status.commit,
	);
	let low = 1;
	let high = status.lastIndex + 1;
	while (low < high) {
		const middle = (low + high) >> 1;
		if (node.raft?.entries(middle, status.lastIndex) === null) low = middle + 1;
		else high = middle;
	}
	const { logBytes } = node;
	const spareBytes =
		(logBytes[needed] as number) -
		(logBytes[Math.min(low - 1, needed)] as number);
	demand(
		spareBytes <= windowBytes * 1.25,
		"memory-bound",
		() =>
			`${node.id} keeps ${spareBytes} bytes of entries that it may drop; the limit is ${windowBytes}`,
	);
}
