import { Args } from "@oclif/core";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { pauseUnfinished } from "../../src/operations/taking-up.js";

export default class OperationPause extends OperatorCommand<
	typeof OperationPause
> {
	static override summary =
		"Ask the running operation to stop after its present step.";
	static override description =
		"Whoever runs it ends the step in hand, leaves nothing half done, and exits with 14. `operation resume` goes on, from any machine.";
	static override examples = ["<%= config.bin %> operation pause"];
	static override args = {
		id: Args.string({
			description: "The operation's id; by default the unfinished one.",
		}),
	};

	async run(): Promise<void> {
		const operation = await withContext(await this.operating(), (context) =>
			pauseUnfinished(context, this.args.id ?? null),
		);
		await this.print(operation, () =>
			operation.state === "running"
				? `asked ${operation.record?.attempts.at(-1)?.holder ?? "its holder"} to pause ${operation.id} after the step in hand`
				: `${operation.id} is ${operation.state}: nobody runs it now`,
		);
	}
}
