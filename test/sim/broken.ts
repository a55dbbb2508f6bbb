/**
 * What the core is promised, and what a driver must do, left out on purpose: each shows that an oracle would notice. All
 * but these hold in every other run.
 */
export const brokenRules = {
	"clock-drift": "clocks drift further apart than the core is told (P43)",
	"lease-check":
		"the driver does not look at the lease again before the answer goes out (P43)",
	incarnation: "a node that lost its disk speaks under its old name (P31)",
	"level-rule": "a level is raised before all members read it (P61)",
} as const;

/** Whether it shows in reads under a lease. */
export function isOfLeases(rule: BrokenRule | null): boolean {
	return rule === "clock-drift" || rule === "lease-check";
}

export type BrokenRule = keyof typeof brokenRules;
