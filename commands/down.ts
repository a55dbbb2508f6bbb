import { lockWaitFlag, planFlags } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { down, planDown } from "../src/operations/down.js";
import { withContext } from "../src/operations/open-context.js";

export default class Down extends OperatorCommand<typeof Down> {
	static override summary = "Stop the whole cluster: an outage.";
	static override description =
		"Stops the followers, then the leader, then the balancer. No data is lost: `up` starts it again. Refused while another operation is under way.";
	static override examples = [
		"<%= config.bin %> down --dry-run",
		"<%= config.bin %> down --yes",
	];
	static override flags = { ...planFlags, "lock-wait": lockWaitFlag };

	async run(): Promise<void> {
		const inventory = await this.inventory();
		const { "lock-wait": lockWaitMs } = this.flags;
		const question = `Stop all of ${inventory.name}? Applications will have nothing to talk to.`;
		const confirm = () => this.confirm(question);
		await this.planOrRun(this.flags, {
			withContext,
			...{ inventory, question },
			plan: planDown,
			run: (context) => down(context, { lockWaitMs, confirm }),
			text: ({ cluster, stopped, notRunning }) =>
				[
					`cluster ${cluster} is down`,
					...(stopped.length > 0 ? [`stopped: ${stopped.join(", ")}`] : []),
					...(notRunning.length > 0
						? [`did not run: ${notRunning.join(", ")}`]
						: []),
				].join("\n"),
		});
	}
}
