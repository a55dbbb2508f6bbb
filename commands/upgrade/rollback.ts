import { Flags } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	nodeFlag,
	planFlags,
	reportFlag,
	skipFlag,
} from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import { rollChecks } from "../../src/operations/roll/options.js";
import {
	planUpgrade,
	rollbackWish,
	upgrade,
} from "../../src/operations/upgrade/upgrade.js";

export default class UpgradeRollback extends OperatorCommand<
	typeof UpgradeRollback
> {
	static override summary = "Roll back to what the nodes ran before.";
	static override description =
		"Each node goes back to what it ran before the newest upgrade, by the journal, or all to --to; with the guarantees of rolling-restart. Works at every point before `upgrade finalize`; afterwards it is refused, as the older release could not read the log.";
	static override examples = [
		"<%= config.bin %> upgrade rollback --dry-run",
		"<%= config.bin %> upgrade rollback --yes",
		"<%= config.bin %> upgrade rollback --to 1.3.0 --node n2",
	];
	static override flags = {
		to: Flags.string({
			helpValue: "<version>",
			summary:
				"A version that the hosts have; by default each node's former one.",
		}),
		node: nodeFlag,
		...planFlags,
		"lock-wait": lockWaitFlag,
		skip: skipFlag(rollChecks),
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const { to = null, node, skip, "dry-run": dryRun } = this.flags;
		const inventory = await this.inventory();
		const question = `Roll ${node.length === 0 ? "every node" : node.join(", ")} of ${inventory.name} back to ${to ?? "what it ran before"}?`;
		if (!dryRun) this.requireAnswer(question);
		const operating = await this.operating(inventory);
		const options = {
			...{ nodes: node, skip, settings: {}, soakMs: 0 },
			lockWaitMs: this.flags["lock-wait"],
			confirm: () => this.confirm(question),
			canary: canaryUse(this.flags),
		};
		if (dryRun) {
			const plan = await withContext(operating, async (context) =>
				planUpgrade(context, await rollbackWish(context, to, options)),
			);
			return this.printPlan(plan, this.flags);
		}
		const report = await withContext(operating, async (context) =>
			upgrade(context, await rollbackWish(context, to, options), options),
		);
		const { rollText } = await import("../../src/cli/roll-text.js");
		await this.print(report, () => rollText(report));
	}
}
