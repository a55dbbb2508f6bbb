import { durationFlag } from "./flags.js";

/** Whoever takes up an operation mostly follows one that was killed a moment ago, and whose lock has yet to end. */
export function takeUpFlags(deadHolderWaitMs: number) {
	return {
		"lock-wait": durationFlag({
			default: deadHolderWaitMs,
			defaultHelp: async () => `${deadHolderWaitMs / 1000}s`,
			summary: "How long to wait for another operation's lock.",
		}),
	};
}
