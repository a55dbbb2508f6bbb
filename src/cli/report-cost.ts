import type { BudgetVerdict } from "../operations/canary/budgets.js";
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

/** What the canary saw and which budgets are exceeded, a line each; none without a canary. */
export function canaryLines(cost: OperationCost): string[] {
	const words = canaryWords(cost);
	return [
		...(words.length === 0 ? [] : [`the canary: ${words.join(", ")}`]),
		...(cost.canary?.lostWrites ?? []),
		...budgetLines(cost),
	];
}

/** The budgets that are exceeded, a line each. */
export function budgetLines({ budgets }: OperationCost): string[] {
	return budgets
		.filter(({ exceeded }) => exceeded)
		.map(
			(one) =>
				`over budget: --${one.budget} ${amountText(one, one.limit)}, it was ${amountText(one, one.measured)}`,
		);
}

/** A budget's limit, or what was measured of it. */
export function amountText(
	{ unit }: Pick<BudgetVerdict, "unit">,
	value: number,
): string {
	return unit === "ms" ? durationText(value) : String(value);
}

function canaryWords(cost: OperationCost): string[] {
	const { requests, failedRequests, slowestWriteMs, longestStallMs } = cost;
	if (requests === null) return [];
	const lost = cost.canary?.lostWrites.length ?? 0;
	return [
		...(lost === 0 ? [] : [`WRITES LOST: ${lost}`]),
		`${failedRequests} of ${requests} requests failed`,
		`slowest write ${durationText(slowestWriteMs ?? 0)}`,
		`longest stall ${durationText(longestStallMs ?? 0)}`,
	];
}
