import { OperatorCommand } from "../../src/cli/operator-command.js";
import { checkBalancer } from "../../src/operations/balancer/check.js";
import { withContext } from "../../src/operations/open-context.js";

export default class BalancerCheck extends OperatorCommand<
	typeof BalancerCheck
> {
	static override summary =
		"Say whether the balancer's hosts have the configuration of the cluster file.";
	static override description =
		"Compares the file on every host, has the balancer's own program judge it, and asks what runs. Exits with 0 when all is as it should be, with 3 when `balancer apply` would change something, with 10 when something else is wrong, with 20 when a host could not be asked. Nothing is touched.";
	static override examples = [
		"<%= config.bin %> balancer check",
		"<%= config.bin %> balancer check --json",
	];

	async run(): Promise<void> {
		const report = await withContext(await this.operating(), checkBalancer);
		const { balancerCheckText } = await import(
			"../../src/cli/balancer-text.js"
		);
		await this.print(report, () => balancerCheckText(report));
		if (report.sound) return;
		const { hosts } = report;
		if (hosts.some(({ written }) => written === null))
			this.exitAs("unreachable");
		else if (hosts.some(({ faults }) => faults.length > 0))
			this.exitAs("unhealthy");
		else this.exitAs("changes");
	}
}
