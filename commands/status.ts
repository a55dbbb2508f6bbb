import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { status } from "../src/operations/status.js";

export default class Status extends OperatorCommand<typeof Status> {
	static override summary = "Show every node, the quorum and what is wrong.";
	static override description =
		"Asks every node and the balancer at once, so a dead one costs two seconds at most. Exits with 0 when anybody answered, whatever the answers; `health` tells by its exit code whether all is well.";
	static override examples = [
		"<%= config.bin %> status",
		"<%= config.bin %> status --json",
	];

	async run(): Promise<void> {
		const report = await withContext(await this.operating(), status);
		const { statusText } = await import("../src/cli/status-table.js");
		await this.print(report, () => statusText(report, Date.now()));
		if (!report.nodes.some(({ reachable }) => reachable))
			this.exitAs("unreachable");
	}
}
