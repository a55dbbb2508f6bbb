import { Args } from "@oclif/core";
import { TakeUpCommand, takeUpFlags } from "../../src/cli/take-up-command.js";
import { deadHolderWaitMs, takingUp } from "../../src/operations/taking-up.js";

export default class OperationAbort extends TakeUpCommand<
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
	static override flags = takeUpFlags(deadHolderWaitMs);

	run(): Promise<void> {
		return this.takeUp(this.flags, {
			takingUp,
			...{ id: this.args.id ?? null, as: "abort" },
			question: "Give up this operation?",
		});
	}
}
