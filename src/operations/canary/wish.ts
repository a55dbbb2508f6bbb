import type { Budgets } from "./budgets.js";

/** That a canary is to run, and when it ends the operation; JSON, as the journal keeps it for whoever resumes. */
export interface CanaryWish {
	readonly budgets: Budgets;
}
