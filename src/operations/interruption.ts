import { OperatorError } from "../errors.js";

/** Throws when the operation is to end: the signal's own OperatorError, or "interrupted" for a bare Ctrl-C. */
export function throwIfEnded(signal: AbortSignal): void {
	if (signal.aborted) throw endingOf(signal);
}

export function endingOf(signal: AbortSignal): OperatorError {
	return signal.reason instanceof OperatorError
		? signal.reason
		: new OperatorError("interrupted", "interrupted", { cause: signal.reason });
}

/** True when `error` says no more than that `signal` aborted. */
export function isEnding(error: unknown, signal: AbortSignal): boolean {
	return (
		signal.aborted &&
		(error === signal.reason ||
			(error instanceof Error && error.name === "AbortError"))
	);
}
