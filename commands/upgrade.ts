import { Flags } from "@oclif/core";
import { durationFlag } from "../src/cli/flags.js";
import {
	releaseRollFlags,
	UpgradeCommand,
} from "../src/cli/upgrade-command.js";
import { upgradeChecks } from "../src/operations/roll/options.js";
import { upgradeWish, upgrading } from "../src/operations/upgrade/upgrade.js";

export default class Upgrade extends UpgradeCommand<typeof Upgrade> {
	static override summary =
		"Roll a release over the nodes; what they write stays.";
	static override description =
		"Phase one of two: every node is restarted with the new release, one by one, with the guarantees of rolling-restart. The nodes read what the new release writes, and still write what the old one reads, until `upgrade finalize`; until then `upgrade rollback` goes back. The first node has to hold for the soak time before the next is touched, and one that does not become ready is given back what it ran.";
	static override examples = [
		"<%= config.bin %> upgrade --to ./orders-1.4.0.tgz --dry-run",
		"<%= config.bin %> upgrade --to ./orders-1.4.0.tgz --soak 10m --yes",
		"<%= config.bin %> upgrade --to 1.4.0 --node n2",
	];
	static override flags = {
		to: Flags.string({
			required: true,
			helpValue: "<path|version>",
			summary: "The release: its archive, or a version that the hosts have.",
		}),
		soak: durationFlag({
			default: 10_000,
			defaultHelp: async () => "10s",
			summary: "How long the first node has to hold before the next.",
		}),
		...releaseRollFlags(upgradeChecks),
	};

	async run(): Promise<void> {
		const { to, node, soak } = this.flags;
		const inventory = await this.inventory();
		return this.roll(this.flags, {
			...{ inventory, upgrading },
			question: `Roll ${to} over ${node.length === 0 ? "every node" : node.join(", ")} of ${inventory.name}?`,
			soakMs: soak,
			wish: (context, options) => upgradeWish(context, to, options),
		});
	}
}
