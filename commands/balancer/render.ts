import { ClusterCommand } from "../../src/cli/cluster-command.js";
import { renderBalancer } from "../../src/operations/balancer/render.js";

export default class BalancerRender extends ClusterCommand<
	typeof BalancerRender
> {
	static override summary =
		"Print the balancer's configuration that the cluster file makes.";
	static override description =
		"HAProxy: a marked part for its configuration file. nginx: a file that it includes. Nobody is asked and nothing is written; `balancer apply` does that.";
	static override examples = [
		"<%= config.bin %> balancer render",
		"<%= config.bin %> balancer render > raftctl.cfg",
	];

	async run(): Promise<void> {
		const report = renderBalancer(await this.inventory());
		await this.print(report, () => report.text.trimEnd());
	}
}
