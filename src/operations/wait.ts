import { OperatorError } from "../errors.js";
import { type OperationContext, pollIntervalMs } from "./context.js";
import { endingOf, isEnding, throwIfEnded } from "./interruption.js";

export interface Wait {
	/** What is waited for, as "n2 to be ready". */
	readonly name: string;
	readonly node: string | null;
	readonly timeoutMs: number;
	/** Gives up with the silence itself when nobody answers for this long without a break; by default as late as the rest. */
	readonly silenceMs?: number;
	readonly signal: AbortSignal;
	/**
	 * Null once it holds; else what is missing yet. A node that does not answer is something missing; every other error
	 * ends the wait, as does a silence that only somebody ends.
	 */
	readonly probe: () => Promise<string | null>;
	/** Told what is missing when that changes, at most once a second: a log must not fill up with countdowns. */
	readonly progress?: (note: string) => void;
}

const progressEveryMs = 1_000;

/** Looks until it holds. Throws OperatorError "timeout" with the wait's name and what was missing last. */
export async function waitUntil(
	{ clock }: Pick<OperationContext, "clock">,
	wait: Wait,
): Promise<void> {
	const startedAt = clock.now();
	let told: string | null = null;
	let toldAt = Number.NEGATIVE_INFINITY;
	let heardAt = startedAt;
	for (;;) {
		throwIfEnded(wait.signal);
		const { now, silence } = await look(wait);
		if (now === null) return;
		if (silence === null) heardAt = clock.now();
		else if (clock.now() - heardAt >= (wait.silenceMs ?? Infinity))
			throw silence;
		if (now !== told && clock.now() - toldAt >= progressEveryMs) {
			wait.progress?.(now);
			told = now;
			toldAt = clock.now();
		}
		if (clock.now() - startedAt >= wait.timeoutMs) throw tooLong(wait, now);
		await clock.sleep(pollIntervalMs, wait.signal).catch((error: unknown) => {
			throw isEnding(error, wait.signal) ? endingOf(wait.signal) : error;
		});
	}
}

interface Look {
	readonly now: string | null;
	readonly silence: OperatorError | null;
}

async function look({ probe, signal }: Wait): Promise<Look> {
	try {
		return { now: await probe(), silence: null };
	} catch (error) {
		if (isEnding(error, signal)) throw endingOf(signal);
		if (isSilence(error) && !error.isLasting)
			return { now: error.message, silence: error };
		throw error;
	}
}

/** True for errors that time may heal: nobody answered, or nobody could yet. */
export function isSilence(error: unknown): error is OperatorError {
	return (
		error instanceof OperatorError &&
		(error.kind === "unreachable" || error.kind === "timeout")
	);
}

/** True for a wait that came to its end, and for a program that did not stop in time. */
export function isTimeout(error: unknown): error is OperatorError {
	return error instanceof OperatorError && error.kind === "timeout";
}

function tooLong(wait: Wait, missing: string): OperatorError {
	return new OperatorError(
		"timeout",
		`waited ${wait.timeoutMs} ms for ${wait.name}: ${missing}`,
		wait.node === null ? {} : { node: wait.node },
	);
}
