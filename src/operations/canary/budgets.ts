/** What an operation may cost; null for no limit. */
export interface Budgets {
	/** Requests of the canary that may fail. */
	readonly maxFailed: number | null;
	/** The longest time between two successful writes of the canary. */
	readonly maxStallMs: number | null;
	/** The longest time without a leader, as the nodes measure it themselves. */
	readonly maxLeaderlessMs: number | null;
}

/** What counts against the budgets, so far. */
export interface Spent {
	readonly failed: number;
	readonly stallMs: number;
	readonly leaderlessMs: number;
	/** When the first request failed and when the longest stall began; null when it did not. ISO 8601. */
	readonly failedSince: string | null;
	readonly stallSince: string | null;
}

export interface BudgetVerdict {
	/** As the flag is called: "max-failed". */
	readonly budget: "max-failed" | "max-stall" | "max-leaderless";
	readonly unit: "requests" | "ms";
	readonly limit: number;
	readonly measured: number;
	readonly exceeded: boolean;
	/** Since when it is exceeded, where that is known; ISO 8601. */
	readonly since: string | null;
}

/** One verdict for each budget that has a limit. A limit that is just reached is kept. */
export function judgeBudgets(
	{ maxFailed, maxStallMs, maxLeaderlessMs }: Budgets,
	spent: Spent,
): readonly BudgetVerdict[] {
	return [
		...judge("max-failed", maxFailed, spent.failed, spent.failedSince),
		...judge("max-stall", maxStallMs, spent.stallMs, spent.stallSince),
		...judge("max-leaderless", maxLeaderlessMs, spent.leaderlessMs, null),
	];
}

function judge(
	budget: BudgetVerdict["budget"],
	limit: number | null,
	spent: number,
	since: string | null,
): readonly BudgetVerdict[] {
	if (limit === null) return [];
	const unit = budget === "max-failed" ? "requests" : "ms";
	// Compared before it is rounded: what is over by a hair is over.
	const exceeded = spent > limit;
	const measured = exceeded ? Math.ceil(spent) : Math.floor(spent);
	return [
		{ budget, unit, limit, measured, exceeded, since: exceeded ? since : null },
	];
}

/** One sentence without a full stop, for one that is exceeded. */
export function breachText({
	budget,
	limit,
	measured,
	since,
}: BudgetVerdict): string {
	const from = since === null ? "" : ` from ${since} on`;
	switch (budget) {
		case "max-failed":
			return `${measured} requests of the canary failed${from}, ${limit} may (--max-failed)`;
		case "max-stall":
			return `no write of the canary went through for ${measured} ms${from}, ${limit} ms are allowed (--max-stall)`;
		case "max-leaderless":
			return `a node was without a leader for ${measured} ms, ${limit} ms are allowed (--max-leaderless)`;
	}
}
