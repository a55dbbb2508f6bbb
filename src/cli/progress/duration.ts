/** A duration for people: 87 ms, 2.1 s, 3 m 20 s. */
export function durationText(durationMs: number): string {
	if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
	if (durationMs < 60_000) return `${(durationMs / 1000).toFixed(1)} s`;
	const seconds = Math.round(durationMs / 1000);
	return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
}
