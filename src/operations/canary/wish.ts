import type { Budgets } from "./budgets.js";
import type { OpenCaller } from "./caller.js";

/** That a canary is to run, and when it ends the operation; JSON, as the journal keeps it for whoever resumes. */
export interface CanaryWish {
	readonly budgets: Budgets;
}

export interface CanaryUse {
	/** Null or absent for none: then only what nodes and steps measure is known. */
	readonly wish?: CanaryWish | null;
	/** How the canary connects; over HTTP by default. */
	readonly openCaller?: OpenCaller;
}
