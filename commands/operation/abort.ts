import { Args } from "@oclif/core";
import { planFlags, reportFlag } from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { takeUpFlags } from "../../src/cli/take-up-flags.js";
import { withContext } from "../../src/operations/open-context.js";
import {
	deadHolderWaitMs,
	takeUpUnfinished,
} from "../../src/operations/taking-up.js";

export default class OperationAbort extends OperatorCommand<
	typeof OperationAbort
> {
	static override summary = "Give up the operation that is not finished.";
	static override description =
		"Leaves the cluster valid: nothing drained, nothing half added, every node that was stopped started again. What is done already stays done. The plan says which.";
	static override examples = [
		"<%= config.bin %> operation abort --dry-run",
		"<%= config.bin %> operation abort --yes",
	];
	static override args = {
		id: Args.string({
			description: "The operation's id; by default the unfinished one.",
		}),
	};
	static override flags = {
		...planFlags,
		...takeUpFlags(deadHolderWaitMs),
		report: reportFlag,
	};

	async run(): Promise<void> {
		const { "dry-run": dryRun } = this.flags;
		const question = "Give up this operation?";
		if (!dryRun) this.requireAnswer(question);
		const report = await withContext(await this.operating(), (context) =>
			takeUpUnfinished(context, {
				id: this.args.id ?? null,
				as: "abort",
				dryRun,
				lockWaitMs: this.flags["lock-wait"],
				confirm: () => this.confirm(question),
			}),
		);
		if ("dryRun" in report && report.dryRun === true)
			return this.printPlan(report, this.flags);
		const { takenUpText } = await import("../../src/cli/taken-up-text.js");
		await this.print(report, () => takenUpText("abort", report));
	}
}
