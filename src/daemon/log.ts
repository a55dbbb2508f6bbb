import { type Logger, pino } from "pino";

/**
 * The daemon's log: one JSON object a line on standard output. Written in the background, as a reader that stalls must
 * not stall the node; `close` writes what is left.
 */
export function openLog(level: LogLevel): Log {
	const destination = pino.destination({ dest: 1, sync: false });
	const logger = pino(
		{
			level,
			base: null,
			timestamp: pino.stdTimeFunctions.isoTime,
			formatters: { level: (label) => ({ level: label }) },
		},
		destination,
	);
	return { logger, close: () => destination.flushSync() };
}

type LogLevel = "debug" | "info" | "warn" | "error";

export interface Log {
	readonly logger: Logger;
	/** Blocks until everything is written; for the last moment of the process. */
	close(): void;
}
