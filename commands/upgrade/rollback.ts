import { Flags } from "@oclif/core";
import {
	releaseRollFlags,
	UpgradeCommand,
} from "../../src/cli/upgrade-command.js";
import { upgradeChecks } from "../../src/operations/roll/options.js";
import {
	rollbackWish,
	upgrading,
} from "../../src/operations/upgrade/upgrade.js";

export default class UpgradeRollback extends UpgradeCommand<
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
		...releaseRollFlags(upgradeChecks),
	};

	async run(): Promise<void> {
		const { to = null, node } = this.flags;
		const inventory = await this.inventory();
		return this.roll(this.flags, {
			...{ inventory, upgrading },
			question: `Roll ${node.length === 0 ? "every node" : node.join(", ")} of ${inventory.name} back to ${to ?? "what it ran before"}?`,
			soakMs: 0,
			wish: (context, options) => rollbackWish(context, to, options),
		});
	}
}
