/** What --skip can name. Each is a check of its own; nothing else is left out with it. */
export const membershipChecks = [
	"quorum",
	"catch-up",
	"snapshot",
	"balancer",
	"drain",
] as const;
export type MembershipCheck = (typeof membershipChecks)[number];

export type Skip = readonly MembershipCheck[];

/** How long a learner may take to catch up, unless said otherwise. */
export const catchUpDefaultMs = 600_000;

/** The words as the user would have typed them. */
export function textOf(words: readonly (string | null)[], skip: Skip): string {
	return [
		...words.filter((word) => word !== null),
		...skip.map((check) => `--skip=${check}`),
	].join(" ");
}

/** Of those, what the leader is asked to leave out. */
export function waivedBy(skip: Skip): readonly ("catch-up" | "quorum")[] {
	return skip.filter((check) => check === "catch-up" || check === "quorum");
}
