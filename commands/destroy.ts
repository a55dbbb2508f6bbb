import { Flags } from "@oclif/core";
import { lockWaitFlag, planFlags } from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { askForName, requireName } from "../src/cli/typed-name.js";
import { OperatorError } from "../src/errors.js";
import { destroy, planDestroy } from "../src/operations/destroy/destroy.js";
import { withContext } from "../src/operations/open-context.js";

export default class Destroy extends OperatorCommand<typeof Destroy> {
	static override summary =
		"Remove the cluster from its hosts, with all its data.";
	static override description =
		"Stops every node and removes units, data and releases from every host that answers. There is no way back, so it wants the cluster's name typed; --yes is not enough. Accounts, the balancer's configuration, certificates and the cluster file stay. A host that does not answer keeps what it has: give the command again once it is back.";
	static override examples = [
		"<%= config.bin %> destroy --dry-run",
		"<%= config.bin %> destroy --cluster-name orders",
	];
	static override flags = {
		"cluster-name": Flags.string({
			helpValue: "<cluster>",
			summary: "The cluster's name, for scripts: the question's answer.",
		}),
		...planFlags,
		"lock-wait": lockWaitFlag,
	};

	async run(): Promise<void> {
		const given = this.flags["cluster-name"];
		const inventory = await this.inventory();
		const { name } = inventory;
		if (given !== undefined) requireName(given, name, "--cluster-name");
		const report = await this.planOrRun(this.flags, {
			withContext,
			inventory,
			plan: planDestroy,
			run: (context) =>
				destroy(context, {
					lockWaitMs: this.flags["lock-wait"],
					confirm: async () => {
						if (given !== undefined) return;
						const what = "This removes the cluster and all its data, for good.";
						if (await askForName(what, name, this.signal)) return;
						throw nobodyToType(name);
					},
				}),
			text: async (done) =>
				(await import("../src/cli/deploy-text.js")).destroyText(done),
		});
		if (report !== null && report.left.length > 0) this.exitAs("partial");
	}
}

function nobodyToType(name: string): OperatorError {
	return new OperatorError(
		"usage",
		"there is nobody to type the cluster's name",
		{
			state: "nothing was touched",
			next: `give it with --cluster-name ${name}, once you have read raftctl destroy --dry-run`,
		},
	);
}
