import type { RollReport } from "../roll/report.js";
import type { Subscriber } from "./subscribers.js";
import { type DemoSummary, quantile } from "./summary.js";
import type { Traffic } from "./traffic.js";
import { judgeEvents } from "./verification.js";

const shownFailures = 10;

/** Puts together what was measured; decides nothing. */
export function summarise(measured: {
	roll: RollReport;
	traffic: Traffic;
	subscribers: readonly Subscriber[];
	/** How many acknowledged writes some node does not have. */
	lost: number;
	durationMs: number;
}): DemoSummary {
	const { roll, traffic, subscribers, lost, durationMs } = measured;
	const latenciesMs = [...traffic.writeLatenciesMs].sort((a, b) => a - b);
	const gone = subscribers.filter(({ failure }) => failure !== null);
	const failures = [
		...traffic.failures,
		...gone.map(({ failure }) => `subscriber: ${failure}`),
	];
	return {
		requests: {
			ok: traffic.acknowledged.length + traffic.reads,
			failed: failures.length,
		},
		writes: {
			ok: traffic.acknowledged.length,
			maxMs: rounded(latenciesMs.at(-1) ?? 0),
			p50Ms: rounded(quantile(latenciesMs, 0.5)),
			p99Ms: rounded(quantile(latenciesMs, 0.99)),
		},
		leaderless: { maxMs: rounded(roll.leaderless.maxMs) },
		subscribers: subscriberSummary(subscribers, traffic),
		lostWrites: lost,
		nodes: roll.nodes.map(({ node, downtimeMs, connectionsMoved }) => ({
			id: node,
			downtimeMs: rounded(downtimeMs),
			connectionsMoved,
		})),
		rollMs: rounded(roll.durationMs),
		durationMs: rounded(durationMs),
		failures: failures.slice(0, shownFailures),
	};
}

function subscriberSummary(
	subscribers: readonly Subscriber[],
	{ acknowledged }: Traffic,
): DemoSummary["subscribers"] {
	const indexes = new Set(acknowledged.map(({ index }) => index));
	const verdicts = subscribers.map(({ received }) =>
		judgeEvents(received, indexes),
	);
	const moves = subscribers.map((one) => one.moves).sort((a, b) => a - b);
	const movedTimes: number[] = [];
	for (let times = 0; times <= (moves.at(-1) ?? 0); times++) {
		movedTimes.push(moves.filter((moved) => moved === times).length);
	}
	return {
		count: subscribers.length,
		minMoves: moves[0] ?? 0,
		medianMoves: quantile(moves, 0.5),
		maxMoves: moves.at(-1) ?? 0,
		movedTimes,
		movedTwiceFrom: movedTwiceFrom(subscribers),
		events: subscribers.reduce((sum, { received }) => sum + received.length, 0),
		missed: verdicts.reduce((sum, { missed }) => sum + missed, 0),
		doubled: verdicts.reduce((sum, { doubled }) => sum + doubled, 0),
	};
}

function movedTwiceFrom(
	subscribers: readonly Subscriber[],
): Record<string, number> {
	const counts: Record<string, number> = {};
	for (const { moves, firstNode } of subscribers) {
		const node = firstNode ?? "?";
		if (moves >= 2) counts[node] = (counts[node] ?? 0) + 1;
	}
	return counts;
}

function rounded(ms: number): number {
	return Math.round(ms * 10) / 10;
}
