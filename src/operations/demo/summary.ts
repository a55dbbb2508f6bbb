/** What a roll under load did cost, as `raftctl demo --json` prints it. */
export interface DemoSummary {
	readonly requests: { readonly ok: number; readonly failed: number };
	/** The latencies are those of writes that ended after the roll began. */
	readonly writes: {
		readonly ok: number;
		readonly maxMs: number;
		readonly p50Ms: number;
		readonly p99Ms: number;
	};
	readonly leaderless: { readonly maxMs: number };
	readonly subscribers: {
		readonly count: number;
		readonly minMoves: number;
		readonly medianMoves: number;
		readonly maxMoves: number;
		/** How many moved so often: movedTimes[2] subscribers moved twice. */
		readonly movedTimes: readonly number[];
		/** How many moved twice or more, by the node they began on ("?" when that is not known). */
		readonly movedTwiceFrom: Readonly<Record<string, number>>;
		readonly events: number;
		readonly missed: number;
		readonly doubled: number;
	};
	/** Acknowledged writes that some node does not have. */
	readonly lostWrites: number;
	/** In the order in which they were restarted. */
	readonly nodes: readonly {
		readonly id: string;
		readonly downtimeMs: number;
		readonly connectionsMoved: number;
	}[];
	/** Of the roll alone. */
	readonly rollMs: number;
	/** From the first command to the last. */
	readonly durationMs: number;
	/** The first few failures, in words. */
	readonly failures: readonly string[];
}

/** The value below which `share` of `sorted` lies; 0 for none. */
export function quantile(sorted: readonly number[], share: number): number {
	const at = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
	return sorted[at] ?? 0;
}

/** What must hold for the demo to call itself a success; each sentence names what does not. */
export function shortcomings(summary: DemoSummary): string[] {
	const { requests, subscribers, lostWrites, failures } = summary;
	const strays = strayCount(summary);
	return [
		requests.failed > 0 &&
			`${requests.failed} requests failed (${failures[0]})`,
		subscribers.missed > 0 && `${subscribers.missed} events were missed`,
		subscribers.doubled > 0 && `${subscribers.doubled} events came twice`,
		strays > 0 &&
			`${strays} subscribers moved twice and did not begin on the first node restarted`,
		subscribers.maxMoves > 2 && "a subscriber moved more than twice",
		lostWrites > 0 && `${lostWrites} acknowledged writes are missing on a node`,
	].filter((sentence) => sentence !== false);
}

/**
 * Who leaves the first node moves to one that has its restart to come, and once more then; everybody else is put on a
 * node that is done. So nobody else has a reason to move twice.
 */
function strayCount({ subscribers, nodes }: DemoSummary): number {
	return Object.entries(subscribers.movedTwiceFrom)
		.filter(([node]) => node !== nodes[0]?.id)
		.reduce((sum, [, count]) => sum + count, 0);
}
