import { answerTimeoutFlag } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { status } from "../src/operations/status.js";

export default class Health extends OperatorCommand<typeof Health> {
	static override summary = "Say whether all is well, by the exit code too.";
	static override description =
		"Exits with 0 when every node is ready, caught up and of one view, and the balancer reaches them all; with 10 when not, naming every problem; with 20 when no node answers.";
	static override examples = [
		"<%= config.bin %> health && ./deploy.sh",
		"<%= config.bin %> health --timeout 10s --json",
	];
	// Longer than that of status: a false alarm stops a pipeline.
	static override flags = { timeout: answerTimeoutFlag(2_000) };

	async run(): Promise<void> {
		const { cluster, healthy, problems, nodes } = await withContext(
			await this.operating(),
			(context) => status(context, { timeoutMs: this.flags.timeout }),
		);
		await this.print({ cluster, healthy, problems }, () =>
			healthy
				? `cluster ${cluster} is healthy`
				: [`cluster ${cluster} is UNHEALTHY`, ...problems].join("\n  "),
		);
		if (!nodes.some(({ reachable }) => reachable)) this.exitAs("unreachable");
		else if (!healthy) this.exitAs("unhealthy");
	}
}
