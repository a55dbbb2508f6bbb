import type { FollowerStatus, Status } from "../../../src/raft/types.js";
import type { Coverage } from "../coverage.js";
import type { SimNode } from "../node.js";
import type { WorldOptions } from "../options.js";
import { demand } from "../violation.js";

/** What a leader believes of its followers, against what their disks hold. */
export function checkFollowers(
	leader: SimNode,
	status: Status,
	nodes: ReadonlyMap<string, SimNode>,
	options: WorldOptions,
	coverage: Coverage,
): void {
	for (const follower of status.followers) {
		const { id, match, next } = follower;
		const node = nodes.get(id) as SimNode;
		const entry = leader.log[match - 1];
		demand(
			next > match && match <= status.lastIndex && next <= status.lastIndex + 1,
			"progress",
			() =>
				`${leader.id} has ${id} at match ${match}, next ${next}, last ${status.lastIndex}`,
		);
		// Once it follows a later leader it may have cut its log.
		if (
			entry !== undefined &&
			node.disk.term === status.term &&
			!node.rolledBack
		) {
			demand(
				node.disk.holds(entry),
				"match-durable",
				() =>
					`${leader.id} counts ${id} at ${match}; its disk ends at ${node.disk.entries.length} or differs there`,
			);
		}
		checkInflight(leader, status, follower, options);
		if (follower.state !== "replicate") coverage.probes++;
		else if (next <= status.lastIndex && isFull(follower, options))
			coverage.windowFullPauses++;
	}
}

/** What is in flight: exactly what lies between match and next, but for a message that was acknowledged in part. */
function checkInflight(
	leader: SimNode,
	status: Status,
	follower: FollowerStatus,
	options: WorldOptions,
): void {
	const { id, state, match, next, inflightMessages, inflightBytes } = follower;
	const { maxInflightMessages, maxInflightBytes, maxMessageBytes } =
		options.limits;
	const between =
		(leader.logBytes[next - 1] as number) - (leader.logBytes[match] as number);
	// The first entry of a message always fits.
	const oneMessage = maxMessageBytes + leader.handed.largestBytes + 1;
	const counted =
		state !== "replicate"
			? inflightMessages === 0 && inflightBytes === 0
			: inflightMessages <= maxInflightMessages &&
				(inflightMessages === 0) === (between === 0) &&
				inflightBytes >= between &&
				inflightBytes - between < oneMessage &&
				inflightBytes < maxInflightBytes + oneMessage;
	demand(
		counted,
		"inflight",
		() =>
			`${leader.id} of term ${status.term} has ${inflightMessages} messages of ${inflightBytes} bytes in flight to ${id} (${state}); between match ${match} and next ${next} lie ${between} bytes`,
	);
}

function isFull(follower: FollowerStatus, { limits }: WorldOptions): boolean {
	const { inflightMessages, inflightBytes } = follower;
	return (
		inflightMessages >= limits.maxInflightMessages ||
		inflightBytes >= limits.maxInflightBytes
	);
}
