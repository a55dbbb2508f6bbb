import { EntryKind, type Status } from "../../../src/raft/types.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/** The rules of one node's numbers among themselves, and against its disk. */
export function checkOrder(node: SimNode, status: Status): void {
	const { firstIndex, applied, commit, durableIndex, lastIndex } = status;
	const { log, logBytes, disk } = node;
	demand(
		firstIndex - 1 <= applied &&
			applied <= commit &&
			applied <= durableIndex &&
			commit <= lastIndex &&
			durableIndex <= lastIndex,
		"ordering",
		() =>
			`${node.id}: first ${firstIndex}, applied ${applied}, commit ${commit}, durable ${durableIndex}, last ${lastIndex}`,
	);
	demand(
		lastIndex === log.length &&
			status.lastTerm === (log[lastIndex - 1]?.term ?? 0),
		"log-agrees",
		() =>
			`${node.id} says last ${lastIndex}/t${status.lastTerm}; handed in up to ${log.length}`,
	);
	demand(
		durableIndex === 0 ||
			(disk.entries.length >= durableIndex &&
				disk.entries[durableIndex - 1] === log[durableIndex - 1]),
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
	demand(
		log[status.configurationIndex - 1]?.kind === EntryKind.configuration,
		"configuration",
		() =>
			`${node.id} takes its configuration from ${status.configurationIndex}, which is none`,
	);
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
	const needed = Math.min(status.applied, status.durableIndex, status.commit);
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
