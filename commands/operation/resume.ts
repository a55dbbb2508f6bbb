import { Args } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	planFlags,
	reportFlag,
} from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { takeUpFlags } from "../../src/cli/take-up-flags.js";
import { withContext } from "../../src/operations/open-context.js";
import {
	deadHolderWaitMs,
	takeUpUnfinished,
} from "../../src/operations/taking-up.js";

export default class OperationResume extends OperatorCommand<
	typeof OperationResume
> {
	static override summary = "Go on with the operation that is not finished.";
	static override description =
		"Looks at the cluster as it is now and does what is left; what is done already is not done again. Works from any machine, also after the operator was killed: the lock of a killed one is waited for.";
	static override examples = [
		"<%= config.bin %> operation resume --dry-run",
		"<%= config.bin %> operation resume --yes",
	];
	static override args = {
		id: Args.string({
			description: "The operation's id; by default the unfinished one.",
		}),
	};
	static override flags = {
		...planFlags,
		...takeUpFlags(deadHolderWaitMs),
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const { "dry-run": dryRun } = this.flags;
		const question = "Go on with this operation?";
		if (!dryRun) this.requireAnswer(question);
		const report = await withContext(await this.operating(), (context) =>
			takeUpUnfinished(context, {
				id: this.args.id ?? null,
				as: "resume",
				dryRun,
				lockWaitMs: this.flags["lock-wait"],
				canary: canaryUse(this.flags),
				confirm: () => this.confirm(question),
			}),
		);
		if ("dryRun" in report && report.dryRun === true)
			return this.printPlan(report, this.flags);
		const { takenUpText } = await import("../../src/cli/taken-up-text.js");
		await this.print(report, () => takenUpText("resume", report));
	}
}
