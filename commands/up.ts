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
		await this.planOrRun(this.flags, {
			withContext,
			plan: planUp,
			run: (context) => up(context, { lockWaitMs: this.flags["lock-wait"] }),
			text: ({ cluster, started, alreadyRunning, drained, leader }) =>
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
		});
	}
}
