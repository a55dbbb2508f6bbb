import type { Command } from "@oclif/core";
import type { CanaryUse } from "../operations/canary/wish.js";
import type { takingUp } from "../operations/taking-up.js";
import { durationFlag, planFlags, reportFlag } from "./flags.js";
import { OperatorCommand, type PlanFlags } from "./operator-command.js";

/** Whoever takes up an operation mostly follows one that was killed a moment ago, and whose lock has yet to end. */
export function takeUpFlags(deadHolderWaitMs: number) {
	return {
		...planFlags,
		"lock-wait": durationFlag({
			default: deadHolderWaitMs,
			defaultHelp: async () => `${deadHolderWaitMs / 1000}s`,
			summary: "How long to wait for another operation's lock.",
		}),
		report: reportFlag,
	};
}

interface TakingUp {
	readonly takingUp: typeof takingUp;
	/** Null for the one that is unfinished. */
	readonly id: string | null;
	readonly as: "resume" | "abort";
	readonly question: string;
	readonly canary?: CanaryUse;
}

/** A command that goes on with the unfinished operation, or gives it up. */
export abstract class TakeUpCommand<
	T extends typeof Command,
> extends OperatorCommand<T> {
	/** Asks the question, does it, and prints how it ended; or prints the plan. */
	protected async takeUp(
		flags: PlanFlags & { readonly "lock-wait": number },
		{ question, takingUp, ...wish }: TakingUp,
	): Promise<void> {
		const { faultOf, takenUpText } = await import("./taken-up-text.js");
		const report = await this.planOrRun(flags, {
			...{ question, withContext: takingUp.withContext },
			plan: (context) => takingUp.plan(context, wish),
			run: (context) =>
				takingUp.run(context, {
					...{ ...wish, lockWaitMs: flags["lock-wait"] },
					confirm: () => this.confirm(question),
				}),
			text: (done) => takenUpText(wish.as, done),
		});
		// Over, and yet somebody has to look: a pipeline must not go on as if all were well.
		if (wish.as === "abort" && report !== null && faultOf(report) !== null)
			this.exitAs("partial");
	}
}
