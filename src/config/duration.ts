import { z } from "zod";

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;

/** A length of time with its unit ("500ms", "1.5s", "15m", "1h"), read as milliseconds within these bounds. */
export function duration({
	minMs,
	maxMs,
}: {
	readonly minMs: number;
	readonly maxMs: number;
}) {
	const error = "must be a length of time with its unit: 500ms, 2s, 15m";
	return z
		.string(error)
		.regex(pattern, { error, abort: true })
		.refine(
			(text) => {
				const ms = toMs(text);
				return ms >= minMs && ms <= maxMs;
			},
			`must be from ${textOf(minMs)} to ${textOf(maxMs)}`,
		)
		.transform(toMs);
}

function toMs(text: string): number {
	const [, count, unit] = pattern.exec(text) ?? [];
	return Math.round(Number(count) * unitsMs[unit as keyof typeof unitsMs]);
}

function textOf(ms: number): string {
	for (const unit of ["h", "m", "s"] as const)
		if (ms > 0 && ms % unitsMs[unit] === 0)
			return `${ms / unitsMs[unit]}${unit}`;
	return `${ms}ms`;
}
