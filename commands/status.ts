import { answerTimeoutFlag } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { status } from "../src/operations/status.js";

export default class Status extends OperatorCommand<typeof Status> {
	static override summary = "Show every node, the quorum and what is wrong.";
	static override description =
		"Asks every node and the balancer at once, so a dead one costs one --timeout, whatever else is dead. A node that is silent for so long but heard by the leader is shown with when it was heard: it is slow, not dead. Exits with 0 when anybody answered, whatever the answers; `health` tells by its exit code whether all is well.";
	static override examples = [
		"<%= config.bin %> status",
		"<%= config.bin %> status --json",
		"<%= config.bin %> status --timeout 10s",
	];
	// A person waits for it and a script polls, and nothing is done about the answer: less than an operation grants.
	static override flags = { timeout: answerTimeoutFlag(800) };

	async run(): Promise<void> {
		const { timeout: timeoutMs } = this.flags;
		const report = await withContext(await this.operating(), (context) =>
			status(context, { timeoutMs }),
		);
		const { statusText } = await import("../src/cli/status-table.js");
		await this.print(report, () => statusText(report, Date.now()));
		if (!report.nodes.some(({ reachable }) => reachable))
			this.exitAs("unreachable");
	}
}
