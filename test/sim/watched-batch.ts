import { Batch, type BatchResult } from "./batch.js";
import type { RunSettings } from "./run.js";

/** How long seeds are run before signals are looked at. */
const turnLimitMs = 100;
/** A long batch says now and then how far it is: should it be killed, that much is known. */
const progressIntervalMs = 30_000;

export interface WatchedResult extends BatchResult {
	/** Why it ended before its last seed; null when it did not. */
	readonly interruptedBy: "SIGINT" | "SIGTERM" | null;
	readonly stepsPerSecond: number;
}

/** Runs a batch that a signal ends after the seed in hand, with what was found by then. */
export async function runWatched(
	first: number,
	seeds: number,
	settings: RunSettings,
): Promise<WatchedResult> {
	const batch = new Batch(first, seeds, settings);
	let interruptedBy: WatchedResult["interruptedBy"] = null;
	const interrupt = (signal: NodeJS.Signals) => {
		interruptedBy = signal === "SIGINT" ? "SIGINT" : "SIGTERM";
	};
	process.once("SIGINT", interrupt);
	process.once("SIGTERM", interrupt);
	const beganMs = performance.now();
	let toldMs = beganMs;
	const rate = () =>
		Math.round((batch.result().steps * 1000) / (performance.now() - beganMs));
	while (!batch.isOver && interruptedBy === null) {
		const turnMs = performance.now();
		while (!batch.isOver && performance.now() - turnMs < turnLimitMs)
			batch.runNext();
		await new Promise((resolve) => setImmediate(resolve));
		if (performance.now() - toldMs < progressIntervalMs) continue;
		toldMs = performance.now();
		console.error(
			`${batch.result().seeds} of ${seeds} seeds, ${rate()} steps/s`,
		);
	}
	process.off("SIGINT", interrupt);
	process.off("SIGTERM", interrupt);
	const stepsPerSecond = rate();
	return { ...batch.result(), interruptedBy, stepsPerSecond };
}
