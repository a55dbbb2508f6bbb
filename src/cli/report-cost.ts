import type { OperationCost } from "../operations/cost/cost.js";
import { durationText } from "./progress/duration.js";

/** What an operation did cost, in one line: what nobody noticed is not named. */
export function costText(cost: OperationCost): string {
	const down = cost.downtime.map(
		({ node, downtimeMs, back }) =>
			`${node} down ${durationText(downtimeMs)}${back ? "" : " and not back"}`,
	);
	const moved = cost.connectionsMoved;
	return [
		...canaryWords(cost),
		`without a leader ${durationText(cost.leaderlessMaxMs)} at most`,
		...(moved === 0 ? [] : [`${moved} connections moved`]),
		...down,
	].join(", ");
}

function canaryWords(cost: OperationCost): string[] {
	const { requests, failedRequests, slowestWriteMs, longestStallMs } = cost;
	if (requests === null) return [];
	const lost = cost.canary?.lostWrites.length ?? 0;
	return [
		...(lost === 0 ? [] : [`${lost} WRITES LOST`]),
		`${failedRequests} of ${requests} requests failed`,
		`slowest write ${durationText(slowestWriteMs ?? 0)}`,
		`longest stall ${durationText(longestStallMs ?? 0)}`,
	];
}
