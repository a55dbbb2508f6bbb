import type { Entry } from "../../../src/raft/types.js";
import type { Coverage } from "../coverage.js";
import type { SessionResult } from "../machine.js";
import type { SimNode } from "../node.js";
import { demand } from "../violation.js";

/** A session's command is executed once, wherever and however often it is in the log (P58). */
export class SessionRules {
	/** By session and sequence: where it was executed. */
	readonly #executed = new Map<string, number>();
	/** By index: what the command there came to, by whoever applied it first. */
	readonly #results = new Map<number, SessionResult>();
	readonly #coverage: Coverage;

	constructor(coverage: Coverage) {
		this.#coverage = coverage;
	}

	/** What the command at `index` came to; undefined when nobody has applied it yet. */
	resultAt(index: number): SessionResult | undefined {
		return this.#results.get(index);
	}

	executedAt(id: number, sequence: number): number | undefined {
		return this.#executed.get(`${id} ${sequence}`);
	}

	applied(node: SimNode, { index }: Entry, result: SessionResult): void {
		const { stamp, answer, fresh } = result;
		if (fresh) this.#executedOnce(node, index, result);
		else if (answer.kind === "executed")
			demand(
				this.executedAt(stamp.id, stamp.sequence) === answer.index,
				"sessions-once",
				() =>
					`${node.id} answers command ${stamp.sequence} of session ${stamp.id} as executed at ${answer.index}; it was at ${this.executedAt(stamp.id, stamp.sequence)}`,
			);
		if (this.#results.has(index)) return;
		this.#results.set(index, result);
		if (answer.kind === "refused") {
			if (answer.reason === "session-expired") this.#coverage.sessionsExpired++;
			else this.#coverage.sessionsMisused++;
		} else if (fresh) this.#coverage.sessionCommands++;
		else this.#coverage.sessionsDeduplicated++;
	}

	#executedOnce(node: SimNode, index: number, { stamp }: SessionResult): void {
		const { id, sequence } = stamp;
		const known = this.executedAt(id, sequence);
		demand(
			known === undefined || known === index,
			"sessions-once",
			() =>
				`${node.id} executes command ${sequence} of session ${id} at ${index}; it was executed at ${known}`,
		);
		this.#executed.set(`${id} ${sequence}`, index);
	}
}
