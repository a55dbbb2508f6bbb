import type { Replica } from "../replica.js";

/** A quorum did not say in time that this node leads, or it no longer does. What is under way ends without a word. */
export class NotLeading extends Error {
	override readonly name = "NotLeading";
}

const confirmLimitMs = 3000;

/**
 * Resolves when a quorum has confirmed, since the call, that this node leads in `term`. Rejects with NotLeading. A read
 * index alone would not do: a deposed leader's question is answered by the new one.
 */
export async function confirmLeading(
	replica: Pick<Replica, "status" | "readIndex">,
	term: number,
): Promise<void> {
	requireLeading(replica, term);
	const index = await new Promise<number | null>((resolve) =>
		replica.readIndex(confirmLimitMs, resolve),
	);
	requireLeading(replica, term);
	if (index === null)
		throw new NotLeading("no quorum confirms that this node leads");
}

/** Whether it believes so itself; null when it does not. */
export function leadingTerm(replica: Pick<Replica, "status">): number | null {
	const { role, term } = replica.status().raft;
	return role === "leader" ? term : null;
}

function requireLeading(replica: Pick<Replica, "status">, term: number): void {
	if (leadingTerm(replica) !== term)
		throw new NotLeading("this node no longer leads");
}
