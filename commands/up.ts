import { lockWaitFlag, planFlags } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { planUp, up } from "../src/operations/up.js";

export default class Up extends OperatorCommand<typeof Up> {
	static override summary = "Start what does not run; wait until all is ready.";
	static override description =
		"Writes each node's configuration into the state directory and starts every node and the balancer that does not run, all at once. May be given again at any time. Nothing that runs is stopped. Where a restore or a recovery is under way, it waits as long as --lock-wait allows.";
	static override examples = [
		"<%= config.bin %> up",
		"<%= config.bin %> up --lock-wait 15m",
		"<%= config.bin %> up --dry-run --detailed-exitcode",
	];
	static override flags = { ...planFlags, "lock-wait": lockWaitFlag };

	async run(): Promise<void> {
		const operating = await this.operating();
		if (this.flags["dry-run"])
			return this.printPlan(await withContext(operating, planUp), this.flags);
		const report = await withContext(operating, (context) =>
			up(context, { lockWaitMs: this.flags["lock-wait"] }),
		);
		const { cluster, started, alreadyRunning, drained, leader } = report;
		await this.print(report, () =>
			[
				`cluster ${cluster} is up; ${leader} leads`,
				...(started.length > 0 ? [`started: ${started.join(", ")}`] : []),
				...(alreadyRunning.length > 0
					? [`ran already: ${alreadyRunning.join(", ")}`]
					: []),
				...(drained.length > 0
					? [`drained, no connections: ${drained.join(", ")}`]
					: []),
			].join("\n"),
		);
	}
}
