import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { listOperations } from "../../src/operations/operations.js";

export default class OperationList extends OperatorCommand<
	typeof OperationList
> {
	static override summary =
		"What was done to the cluster, by whom, and how it went.";
	static override description =
		"The cluster's own journal, newest first, as any machine sees it: unfinished operations and the last fifty finished ones.";
	static override examples = [
		"<%= config.bin %> operation list",
		"<%= config.bin %> operation list --json",
	];

	async run(): Promise<void> {
		const operations = await withContext(
			await this.operating(),
			listOperations,
		);
		const { operationsText } = await import("../../src/cli/operation-text.js");
		await this.print({ operations }, () => operationsText(operations));
	}
}
