import type { CommandOutcome, SessionStamp } from "../../src/daemon/replica.js";

type Applied = Extract<CommandOutcome, { kind: "applied" }>;
type Rejected = Extract<CommandOutcome, { kind: "rejected" }>;

/** As many results as a session keeps; the format's own bound. */
const maxResults = 1024;

/** The table of sessions, as the log would make it: what was executed in each and is not acknowledged. */
export class FakeSessions {
	readonly #results = new Map<number, Map<number, Applied>>();
	readonly #acknowledged = new Map<number, number>();
	/** The most results that any session has kept at once. */
	mostKept = 0;

	get ids(): number[] {
		return [...this.#results.keys()];
	}

	open(id: number): void {
		this.#results.set(id, new Map());
		this.#acknowledged.set(id, 0);
	}

	expire(id: number): void {
		this.#results.delete(id);
	}

	/** Executes it unless it was before. */
	run(
		{ id, sequence, acknowledged }: SessionStamp,
		execute: () => Applied | Rejected,
	): Applied | Rejected {
		const results = this.#results.get(id);
		if (results === undefined)
			return rejected("session-expired", `there is no session ${id}`);
		const known = Math.max(acknowledged, this.#acknowledged.get(id) ?? 0);
		this.#acknowledged.set(id, known);
		for (const each of results.keys()) if (each <= known) results.delete(each);
		if (sequence <= known)
			return rejected("session-misused", `${sequence} was acknowledged`);
		const earlier = results.get(sequence);
		if (earlier !== undefined) return earlier;
		if (results.size >= maxResults)
			return rejected("session-misused", "it keeps too many results");
		const outcome = execute();
		if (outcome.kind === "applied") results.set(sequence, outcome);
		this.mostKept = Math.max(this.mostKept, results.size);
		return outcome;
	}
}

function rejected(reason: Rejected["reason"], message: string): Rejected {
	return { kind: "rejected", reason, message, retryAfterMs: 0 };
}
