import { Args } from "@oclif/core";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { showOperation } from "../../src/operations/operations.js";

export default class OperationShow extends OperatorCommand<
	typeof OperationShow
> {
	static override summary =
		"One operation: its plan, how far it came, what it cost.";
	static override description =
		"Without an id the unfinished operation, else the newest.";
	static override examples = [
		"<%= config.bin %> operation show",
		"<%= config.bin %> operation show t7k2mz-3f9a1c",
	];
	static override args = {
		id: Args.string({ description: "The operation's id." }),
	};

	async run(): Promise<void> {
		const operation = await withContext(await this.operating(), (context) =>
			showOperation(context, this.args.id ?? null),
		);
		const { operationText } = await import("../../src/cli/operation-text.js");
		await this.print(operation, () => operationText(operation));
	}
}
