import type { ChangeOutcome } from "../../raft/types.js";
import type { ConfigurationOutcome } from "../replica.js";

type Done = (outcome: ConfigurationOutcome) => void;

/** Changes of membership that somebody waits for, each with its one outcome. */
export class MembershipChanges {
	readonly #waiting = new Map<number, Done>();
	#lastToken = 0;

	begin(done: Done): number {
		this.#waiting.set(++this.#lastToken, done);
		return this.#lastToken;
	}

	settle({ token, outcome, index, refusal }: ChangeOutcome): void {
		const done = this.#waiting.get(token);
		this.#waiting.delete(token);
		if (outcome === "done") done?.({ kind: "done", index });
		else if (outcome === "refused" && refusal !== null)
			done?.({ kind: "refused", refusal });
		else done?.(unknown("leadership has moved while it was under way"));
	}

	abandon(reason: string): void {
		for (const done of this.#waiting.values()) done(unknown(reason));
		this.#waiting.clear();
	}
}

function unknown(why: string): ConfigurationOutcome {
	return {
		kind: "unknown",
		message: `the change may or may not come about: ${why}`,
	};
}
