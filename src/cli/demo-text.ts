import type { DemoSummary } from "../operations/demo/summary.js";

/** The demo's summary for people: what the roll did cost. */
export function demoText(summary: DemoSummary): string {
	const { requests, writes, leaderless, subscribers, nodes } = summary;
	const rows: readonly (readonly [string, string])[] = [
		["requests", `${requests.ok} ok, ${requests.failed} failed`],
		[
			"writes",
			`median ${ms(writes.p50Ms)}, p99 ${ms(writes.p99Ms)}, slowest ${ms(writes.maxMs)}`,
		],
		["without a leader", `${ms(leaderless.maxMs)} at most`],
		[
			"subscribers",
			`${subscribers.count}; moves: min ${subscribers.minMoves}, median ${subscribers.medianMoves}, max ${subscribers.maxMoves}`,
		],
		["moves", movesText(subscribers)],
		[
			"events",
			`${subscribers.events} told, ${subscribers.missed} missed, ${subscribers.doubled} doubled`,
		],
		["lost writes", `${summary.lostWrites}`],
		...nodes.map(
			({ id, downtimeMs, connectionsMoved }) =>
				[
					`node ${id}`,
					`down for ${ms(downtimeMs)}, ${connectionsMoved} connections moved`,
				] as const,
		),
		[
			"time",
			`${seconds(summary.rollMs)} for the roll, ${seconds(summary.durationMs)} in all`,
		],
	];
	const width = Math.max(...rows.map(([name]) => name.length));
	const lines = rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`);
	return ["What the rolling restart did cost:", ...lines].join("\n");
}

/** "133 moved once, 67 twice (67 of those began on n1)" */
function movesText({
	movedTimes,
	movedTwiceFrom,
}: DemoSummary["subscribers"]): string {
	const often = ["stayed", "moved once", "moved twice"];
	const counts = movedTimes
		.map((count, times) => ({
			count,
			words: often[times] ?? `moved ${times} times`,
		}))
		.filter(({ count }) => count > 0)
		.map(({ count, words }) => `${count} ${words}`);
	const origins = Object.entries(movedTwiceFrom).map(
		([node, count]) => `${count} of those began on ${node}`,
	);
	const origin = origins.length === 0 ? "" : ` (${origins.join(", ")})`;
	return `${counts.join(", ")}${origin}`;
}

function ms(value: number): string {
	return `${Math.round(value)} ms`;
}

function seconds(value: number): string {
	return `${(value / 1000).toFixed(1)} s`;
}
