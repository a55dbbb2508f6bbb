/** A line of a node's log, as raftd or systemd wrote it. */
export interface LogLine {
	readonly node: string;
	/** Milliseconds since the Unix epoch, by the clock of the node's machine; null where that is not known. */
	readonly atMs: number | null;
	/** debug, info, warn, error, fatal; null for what is not raftd's own. */
	readonly level: string | null;
	readonly message: string;
	/** What raftd added to the message. */
	readonly fields: Readonly<Record<string, unknown>>;
}

/** What is known of a line besides its text. */
export interface LineOrigin {
	readonly node: string;
	/** When it was written, if the text itself does not say so. */
	readonly atMs: number | null;
}

/** A line of raftd is a JSON object with time, level and msg; any other text is taken as it is. */
export function logLineOf(text: string, origin: LineOrigin): LogLine {
	const object = text.startsWith("{") ? parsed(text) : null;
	if (object === null || typeof object.msg !== "string")
		return { ...origin, level: null, message: text, fields: {} };
	const { time, level, msg, ...fields } = object;
	return {
		node: origin.node,
		atMs: timeOf(time) ?? origin.atMs,
		level: typeof level === "string" ? level : null,
		message: msg,
		fields,
	};
}

function parsed(text: string): Record<string, unknown> | null {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === "object" && value !== null
			? (value as Record<string, unknown>)
			: null;
	} catch {
		return null;
	}
}

function timeOf(time: unknown): number | null {
	if (typeof time !== "string") return null;
	const atMs = Date.parse(time);
	return Number.isNaN(atMs) ? null : atMs;
}

/**
 * One stream of several, by time. Each keeps its own order, whatever its clock did meanwhile; a line without a time goes
 * with the one before it.
 */
export function mergedByTime(
	streams: readonly (readonly LogLine[])[],
): LogLine[] {
	const keyed = streams.flatMap((stream) => {
		let latestMs = Number.NEGATIVE_INFINITY;
		return stream.map((line) => {
			latestMs = Math.max(latestMs, line.atMs ?? latestMs);
			return { line, latestMs };
		});
	});
	// Stable: lines of one stream whose times are equal stay as they are.
	return keyed
		.sort((one, other) => compare(one.latestMs, other.latestMs))
		.map(({ line }) => line);
}

/** Infinity less infinity is no number. */
function compare(one: number, other: number): number {
	if (one === other) return 0;
	return one < other ? -1 : 1;
}
