import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { up } from "../src/operations/up.js";

export default class Up extends OperatorCommand<typeof Up> {
	static override summary = "Start what does not run; wait until all is ready.";
	static override description =
		"Writes each node's configuration into the state directory and starts every node and the balancer that does not run, all at once. May be given again at any time. Nothing that runs is stopped.";
	static override examples = ["<%= config.bin %> up"];

	async run(): Promise<void> {
		const report = await withContext(await this.operating(), up);
		const { cluster, started, alreadyRunning, leader } = report;
		await this.print(report, () =>
			[
				`cluster ${cluster} is up; ${leader} leads`,
				...(started.length > 0 ? [`started: ${started.join(", ")}`] : []),
				...(alreadyRunning.length > 0
					? [`ran already: ${alreadyRunning.join(", ")}`]
					: []),
			].join("\n"),
		);
	}
}
