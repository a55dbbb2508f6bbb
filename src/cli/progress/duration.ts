/** A duration for people: 87 ms, 2.1 s, 3 m 20 s. */
export function durationText(durationMs: number): string {
	if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
	if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
	const seconds = Math.round(durationMs / 1000);
	return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
}

/** One that may be days: 3 m 20 s, 6 h, 2 d 3 h. */
export function longDurationText(durationMs: number): string {
	const minutes = Math.round(durationMs / 60_000);
	if (minutes < 60) return durationText(durationMs);
	const hours = Math.floor(minutes / 60);
	if (hours >= 24) return parts(Math.floor(hours / 24), "d", hours % 24, "h");
	return parts(hours, "h", minutes % 60, "m");
}

function parts(
	...[large, largeUnit, small, smallUnit]: [number, string, number, string]
): string {
	return small === 0
		? `${large} ${largeUnit}`
		: `${large} ${largeUnit} ${small} ${smallUnit}`;
}
