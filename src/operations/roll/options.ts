import type { RollSettings } from "../../config/inventory.js";
import type { CanaryUse } from "../canary/wish.js";
import type { Confirm } from "../plan.js";

/** What --skip can name. Each is a check of its own; nothing else is left out with it. */
export const rollChecks = ["quorum", "balancer", "drain", "settle"] as const;
/** The same, where the nodes are to run something else than before. */
export const upgradeChecks = [...rollChecks, "snapshot"] as const;
export type RollCheck = (typeof upgradeChecks)[number];

export interface RollOptions {
	/** Ids of the nodes to restart; empty for all. */
	readonly nodes: readonly string[];
	readonly skip: readonly RollCheck[];
	/** How long to wait for another operation's lock; 0 fails at once. */
	readonly lockWaitMs: number;
	readonly confirm?: Confirm;
	readonly canary?: CanaryUse;
	/** Each overrides the cluster file's. */
	readonly settings?: Partial<RollSettings>;
}

export function effectiveSettings(
	settings: RollSettings,
	{ skip, settings: given = {} }: Pick<RollOptions, "skip" | "settings">,
): RollSettings {
	const merged = { ...settings, ...given };
	return skip.includes("settle") ? { ...merged, settleMs: 0 } : merged;
}
