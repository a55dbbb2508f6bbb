import { Args } from "@oclif/core";
import { canaryFlags, canaryUse } from "../../src/cli/flags.js";
import { TakeUpCommand, takeUpFlags } from "../../src/cli/take-up-command.js";
import { deadHolderWaitMs, takingUp } from "../../src/operations/taking-up.js";

export default class OperationResume extends TakeUpCommand<
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
		...takeUpFlags(deadHolderWaitMs),
		...canaryFlags,
	};

	run(): Promise<void> {
		return this.takeUp(this.flags, {
			takingUp,
			...{ id: this.args.id ?? null, as: "resume" },
			question: "Go on with this operation?",
			canary: canaryUse(this.flags),
		});
	}
}
