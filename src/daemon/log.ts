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
	const close = () => destination.flushSync();
	return {
		...{ logger, close },
		end(done) {
			let isOver = false;
			const finish = () => {
				if (isOver) return;
				isOver = true;
				close();
				done();
			};
			setTimeout(finish, endLimitMs);
			destination.flush(finish);
		},
	};
}

/** A reader that stalls must not keep a process that is to end. */
const endLimitMs = 1_000;

type LogLevel = "debug" | "info" | "warn" | "error";

export interface Log {
	readonly logger: Logger;
	/** Blocks until everything is written, perhaps before what is being written; for the last moment of the process. */
	close(): void;
	/** Calls back once everything is written, in order. */
	end(done: () => void): void;
}
