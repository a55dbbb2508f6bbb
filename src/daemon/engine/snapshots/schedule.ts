/** What decides when the next snapshot is due. */
export interface SnapshotPace {
	/** Applied since the newest snapshot. */
	readonly entriesSince: number;
	readonly bytesSince: number;
	/** Of the newest snapshot's file; 0 for none. */
	readonly lastFileBytes: number;
}

export interface SnapshotLimits {
	/** Bounds how long a start has to replay. */
	readonly snapshotEntries: number;
	readonly snapshotLogBytes: number;
}

/**
 * Whether it is time for another. A large state is written out less often, so that writing it never costs more than the
 * log itself does; `spread` in [0, 1) keeps the nodes from doing it in step.
 */
export function isSnapshotDue(
	{ entriesSince, bytesSince, lastFileBytes }: SnapshotPace,
	{ snapshotEntries, snapshotLogBytes }: SnapshotLimits,
	spread: number,
): boolean {
	const share = 1 + spread / 4;
	const bytes = Math.max(snapshotLogBytes, lastFileBytes);
	return entriesSince >= snapshotEntries * share || bytesSince >= bytes * share;
}

/** Of the highest pace: what nobody waits for is not written any slower either, as it keeps memory twice meanwhile. */
const leastShare = 1 / 4;

/**
 * Bytes a second for a snapshot that nobody waits for: twice what the log grew by since the one before, so that this one
 * is done long before the next is due, and takes no more from the disk and the processor than that needs.
 */
export function unhurriedPace(
	bytesSince: number,
	sinceMs: number,
	maxBytesPerSecond: number,
): number {
	const grown = (bytesSince / Math.max(sinceMs, 1)) * 1000;
	return Math.min(
		maxBytesPerSecond,
		Math.max(2 * grown, maxBytesPerSecond * leastShare),
	);
}

/** What the log must still hold, and how much it may. */
export interface Retention {
	/** Of the newest snapshot, and the one before it: with the log since the older, a damaged newer one is no loss. */
	readonly newest: number;
	readonly older: number;
	/** The first entry that some follower still needs; Infinity for none (P47). */
	readonly neededFrom: number;
	readonly bytesHeld: number;
	readonly maxBytesHeld: number;
}

/**
 * Up to which index the log may go. What followers need is kept, and so is what the older snapshot needs, until that
 * takes more room than allowed: then only what the newest snapshot does not hold (P47).
 */
export function compactableTo(retention: Retention): number {
	const { newest, older, neededFrom, bytesHeld, maxBytesHeld } = retention;
	if (bytesHeld > maxBytesHeld) return newest;
	return Math.min(older, neededFrom - 1);
}
