import { Flags } from "@oclif/core";
import { lockWaitFlag, nodeFlag, planFlags } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { deploy, planDeploy } from "../src/operations/deploy/deploy.js";
import { withContext } from "../src/operations/open-context.js";

export default class Deploy extends OperatorCommand<typeof Deploy> {
	static override summary = "Set hosts up, and start the cluster on them.";
	static override description =
		"From bare machines: the account of the daemon, directories, the release with its Node.js, a unit of systemd for each node, the balancer's configuration; then the cluster is started, as by `up`. Given again it does what is missing, and nothing where nothing is. What runs is not restarted and keeps its release: what `rolling-restart` or `upgrade` has to do is said. Every host is looked at first, and nothing is touched while one is not fit.";
	static override examples = [
		"<%= config.bin %> deploy --dry-run",
		"<%= config.bin %> deploy --release ./orders-1.4.0.tgz --yes",
		"<%= config.bin %> deploy --node n4",
	];
	static override flags = {
		release: Flags.string({
			helpValue: "<path|version>",
			summary:
				"What nodes without a release get. By default what the others have, else what this raftctl and `app` make.",
		}),
		node: nodeFlag,
		...planFlags,
		"lock-wait": lockWaitFlag,
	};

	async run(): Promise<void> {
		const { release = null, node: nodes } = this.flags;
		const inventory = await this.inventory();
		const question = `Set up the hosts of ${inventory.name}?`;
		const wish = { release, nodes };
		await this.planOrRun(this.flags, {
			withContext,
			...{ inventory, question },
			plan: (context) => planDeploy(context, wish),
			run: (context) =>
				deploy(context, wish, {
					lockWaitMs: this.flags["lock-wait"],
					confirm: () => this.confirm(question),
				}),
			text: async (report) =>
				(await import("../src/cli/deploy-text.js")).deployText(report),
		});
	}
}
