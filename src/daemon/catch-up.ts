/**
 * How long ago this node stood where the leader stood. Lag is measured in time, not in entries: under load a follower
 * is always some entries behind, and a node that hears nothing always believes that it is none behind.
 */
export class CatchUp {
	#target: { readonly index: number; readonly atMs: number } | null = null;
	#reachedAtMs: number | null = null;

	/** Takes the leader's commit index as a target, and sees whether the last one is applied by now. */
	observe(observation: CatchUpObservation): void {
		const { applied, leader, nowMs } = observation;
		this.#settle(applied);
		if (this.#target !== null || leader === null) return;
		this.#target = { index: leader.index, atMs: nowMs - leader.heardAgoMs };
		this.#settle(applied);
	}

	/** Milliseconds since everything was applied that the leader had committed at that moment; null for never. */
	agoMs(nowMs: number): number | null {
		return this.#reachedAtMs === null ? null : nowMs - this.#reachedAtMs;
	}

	#settle(applied: number): void {
		if (this.#target === null || applied < this.#target.index) return;
		this.#reachedAtMs = Math.max(this.#reachedAtMs ?? 0, this.#target.atMs);
		this.#target = null;
	}
}

interface CatchUpObservation {
	readonly applied: number;
	/** The commit index of the leader as last heard, and how long ago that was. */
	readonly leader: {
		readonly index: number;
		readonly heardAgoMs: number;
	} | null;
	readonly nowMs: number;
}
