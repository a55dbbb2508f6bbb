import { planFlags } from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import {
	applyBalancer,
	planApply,
} from "../../src/operations/balancer/apply.js";
import { withContext } from "../../src/operations/open-context.js";

export default class BalancerApply extends OperatorCommand<
	typeof BalancerApply
> {
	static override summary =
		"Write the balancer's configuration onto its hosts and reload it.";
	static override description =
		"One host after the other: keeps the old file as .bak, has the balancer's own program judge the new one before it is put in place, reloads, and waits until it runs with the cluster's nodes. Connections go on. Does nothing where all is as it should be.";
	static override examples = [
		"<%= config.bin %> balancer apply",
		"<%= config.bin %> balancer apply --dry-run",
	];
	static override flags = planFlags;

	async run(): Promise<void> {
		await this.planOrRun(this.flags, {
			withContext,
			plan: planApply,
			run: applyBalancer,
			async text(report) {
				const { balancerApplyText } = await import(
					"../../src/cli/balancer-text.js"
				);
				return balancerApplyText(report);
			},
		});
	}
}
