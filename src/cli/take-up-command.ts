import type { Command } from "@oclif/core";
import type { ContextOptions } from "../operations/open-context.js";
import type {
	OperationOptions,
	OperationReport,
} from "../operations/operation.js";
import type { PlanReport } from "../operations/plan.js";
import { durationFlag, planFlags, reportFlag } from "./flags.js";
import { OperatorCommand } from "./operator-command.js";

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

interface TakeUpFlags {
	readonly "dry-run": boolean;
	readonly "detailed-exitcode": boolean;
	readonly "lock-wait": number;
}

interface TakingUp {
	readonly as: "resume" | "abort";
	readonly question: string;
	run(
		operating: ContextOptions,
		options: OperationOptions & { readonly dryRun: boolean },
	): Promise<OperationReport | PlanReport>;
}

/** A command that goes on with the unfinished operation, or gives it up. */
export abstract class TakeUpCommand<
	T extends typeof Command,
> extends OperatorCommand<T> {
	/** Asks the question, does it, and prints how it ended; or prints the plan. */
	protected async takeUp(flags: TakeUpFlags, wish: TakingUp): Promise<void> {
		const { as, question } = wish;
		const { "dry-run": dryRun } = flags;
		if (!dryRun) this.requireAnswer(question);
		const report = await wish.run(await this.operating(), {
			dryRun,
			lockWaitMs: flags["lock-wait"],
			confirm: () => this.confirm(question),
		});
		if ("dryRun" in report && report.dryRun === true)
			return this.printPlan(report, flags);
		const { faultOf, takenUpText } = await import("./taken-up-text.js");
		await this.print(report, () => takenUpText(as, report));
		// Over, and yet somebody has to look: a pipeline must not go on as if all were well.
		if (as === "abort" && faultOf(report) !== null) this.exitAs("partial");
	}
}
