import { demand } from "./violation.js";

export const Fate = {
	pending: 1,
	committed: 2,
	lost: 3,
	unknown: 4,
	refused: 5,
	crashed: 6,
} as const;
export type Fate = (typeof Fate)[keyof typeof Fate];

/** What clients know of their writes, by token: each ends exactly once, and the end must be true for ever (P59). */
export class History {
	readonly #fates: Fate[] = [];
	/** Where each token was committed, as the cluster's memory knows; 0: nowhere yet. */
	readonly #indexes: number[] = [];
	readonly #keys: number[] = [];
	/** Who waits for the end of a token. */
	readonly #watchers = new Map<number, (fate: Fate, index: number) => void>();
	/** Per key: the highest index that a client was told of. */
	readonly acknowledged: Int32Array;

	constructor(keys: number) {
		this.acknowledged = new Int32Array(keys);
	}

	/** A new token for a write to `key`; -1 for one that writes to none. */
	open(key: number): number {
		this.#fates.push(Fate.pending);
		this.#indexes.push(0);
		this.#keys.push(key);
		return this.#fates.length - 1;
	}

	/** Calls `act` with the end of `token`, once. */
	watch(token: number, act: (fate: Fate, index: number) => void): void {
		this.#watchers.set(token, act);
	}

	/** An entry that carries `token` is committed at `index`. */
	committed(token: number, index: number): void {
		const fate = this.#fates[token];
		demand(
			fate !== undefined,
			"unknown-command",
			() => `index ${index} holds token ${token}, which nobody proposed`,
		);
		demand(
			this.#indexes[token] === 0,
			"committed-twice",
			() =>
				`token ${token} is committed at ${this.#indexes[token]} and ${index}`,
		);
		demand(
			fate !== Fate.lost && fate !== Fate.refused,
			"definite-outcome",
			() =>
				`token ${token} was ${fate === Fate.lost ? "lost" : "refused"}, and is committed at ${index}`,
		);
		this.#indexes[token] = index;
	}

	end(token: number, fate: Fate, index: number): void {
		const before = this.#fates[token];
		demand(
			before === Fate.pending,
			"one-outcome",
			() => `token ${token} ends as ${fate}, but is ${before} already`,
		);
		const committedAt = this.#indexes[token] as number;
		if (fate === Fate.committed) {
			demand(
				committedAt === index,
				"definite-outcome",
				() =>
					`token ${token} is told to be committed at ${index}; it is at ${committedAt}`,
			);
			const key = this.#keys[token] as number;
			if (key >= 0)
				this.acknowledged[key] = Math.max(
					this.acknowledged[key] as number,
					index,
				);
		} else if (fate === Fate.lost) {
			demand(
				committedAt === 0,
				"definite-outcome",
				() =>
					`token ${token} is told to be lost; it is committed at ${committedAt}`,
			);
		}
		this.#fates[token] = fate;
		const watcher = this.#watchers.get(token);
		if (watcher === undefined) return;
		this.#watchers.delete(token);
		watcher(fate, index);
	}
}
