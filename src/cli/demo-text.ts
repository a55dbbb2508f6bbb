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
			`${subscribers.count}; moved ${subscribers.minMoves} to ${subscribers.maxMoves} times, median ${subscribers.medianMoves}`,
		],
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

function ms(value: number): string {
	return `${Math.round(value)} ms`;
}

function seconds(value: number): string {
	return `${(value / 1000).toFixed(1)} s`;
}
