import type { Outcome } from "./callers.js";
import type { KeyHistory } from "./linearizability/check.js";
import type { AnyModel } from "./linearizability/model.js";
import {
	counter,
	createAppendModel,
	register,
} from "./linearizability/models.js";
import type { Ending, Operation } from "./linearizability/operation.js";
import type { Known } from "./linearizability/watch.js";
import type { Command, Result } from "./words.js";

/** What the clients of a run asked and heard. */
export class History {
	readonly #keys = new Map<string, Operation[]>();
	readonly #acknowledged = new Map<string, number>();
	readonly #silent = new Set<string>();
	readonly #sent = new Set<string>();
	#done = 0;
	#failed = 0;
	#unknown = 0;

	get counts(): { done: number; failed: number; unknown: number } {
		return { done: this.#done, failed: this.#failed, unknown: this.#unknown };
	}

	get keys(): string[] {
		return [...this.#keys.keys()];
	}

	/** What is known of the commands, for the judge of subscriptions. */
	get known(): Known {
		return {
			acknowledged: this.#acknowledged,
			silent: this.#silent,
			sent: this.#sent,
		};
	}

	/** To be called before a command is sent: whoever is told of it later must find it here. */
	sends({ id }: Command): void {
		this.#sent.add(id);
	}

	/** A command that has ended, besides `add`. */
	ended({ id }: Command, outcome: Outcome<Result>): void {
		if (outcome.kind === "failed") this.#silent.add(id);
		if (outcome.kind !== "done") return;
		// A swap that did not is the only one that changes nothing.
		if (outcome.output === false) this.#silent.add(id);
		else this.#acknowledged.set(id, outcome.index);
	}

	/** `startedAtMs` was taken before anything was sent; it ends now. */
	add(
		call: {
			readonly key: string;
			readonly client: string;
			readonly input: unknown;
			readonly startedAtMs: number;
		},
		outcome: Outcome<unknown>,
	): void {
		const { key, ...rest } = call;
		const atMs = performance.now();
		const ending: Ending =
			outcome.kind === "done"
				? { kind: "done", atMs, output: outcome.output }
				: { kind: outcome.kind, atMs };
		if (outcome.kind === "done") this.#done++;
		else if (outcome.kind === "failed") this.#failed++;
		else this.#unknown++;
		const operations = this.#keys.get(key) ?? [];
		this.#keys.set(key, operations);
		operations.push({ ...rest, ending });
	}

	*histories(): Iterable<KeyHistory> {
		const append = createAppendModel();
		for (const [key, operations] of this.#keys)
			yield { key, operations, model: modelOf(key, append) };
	}
}

function modelOf(key: string, append: AnyModel): AnyModel {
	if (key.startsWith("list")) return append;
	return key.startsWith("counter") ? counter : register;
}
