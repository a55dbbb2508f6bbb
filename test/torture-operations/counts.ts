/** What must stay 0: one that rises fails the run. */
export const mustStayZero = [
	"failedRequests",
	"lostWrites",
	"leftDrained",
	"extraRestarts",
	"quorumAtRisk",
] as const;

/** What the run counts. */
export class Counts {
	readonly operations = new Set<string>();
	rounds = 0;
	kills = 0;
	/** By kind of round, then by what was killed. */
	readonly killsOf = new Map<string, Map<string, number>>();
	nodeKills = 0;
	diskStalls = 0;
	races = 0;
	pauses = 0;
	resumed = 0;
	aborted = 0;
	/** Killed before the cluster knew of it, or kept in no journal: run again. */
	runAgain = 0;
	/** Killed when all was done and written down already. */
	overAlready = 0;
	/** Distinct boundaries at which raftctl was killed, as "rolling-restart: step-started n2/drain". */
	readonly boundaries = new Set<string>();
	acknowledgedWrites = 0;
	explainedFailures = 0;
	failedRequests = 0;
	lostWrites = 0;
	leftDrained = 0;
	extraRestarts = 0;
	quorumAtRisk = 0;

	/** One raftctl killed: at a boundary, or in the round of a kind. */
	killed(kind: string, name: string, at: string): void {
		this.kills++;
		this.operations.add(name);
		this.boundaries.add(`${name}: ${at}`);
		const names = this.killsOf.get(kind) ?? new Map<string, number>();
		this.killsOf.set(kind, names.set(name, (names.get(name) ?? 0) + 1));
	}

	killsOn(kind: string, name: string): number {
		return this.killsOf.get(kind)?.get(name) ?? 0;
	}

	killsIn(kind: string): number {
		const names = this.killsOf.get(kind)?.values() ?? [];
		return [...names].reduce((sum, count) => sum + count, 0);
	}
}

export type Summary = ReturnType<typeof summaryOf>;

/** As `--json` prints it. */
export function summaryOf(counts: Counts, seed: number) {
	const { operations, boundaries, killsOf, ...numbers } = counts;
	const { kills, resumed, aborted, ...others } = numbers;
	const { failedRequests, lostWrites, leftDrained, ...rest } = others;
	const { extraRestarts, quorumAtRisk, ...more } = rest;
	return {
		...{ operations: operations.size, kills, resumed, aborted },
		...{ failedRequests, lostWrites, leftDrained },
		...{ extraRestarts, quorumAtRisk },
		...{ seed, ...more, boundaries: boundaries.size },
		killsOf: Object.fromEntries(
			[...killsOf].map(([kind, names]) => [kind, Object.fromEntries(names)]),
		),
	};
}

/** Each counter that rose, in a sentence. */
export function risen(summary: Summary): string[] {
	return mustStayZero
		.filter((name) => summary[name] !== 0)
		.map((name) => `${name} is ${summary[name]}, not 0`);
}
