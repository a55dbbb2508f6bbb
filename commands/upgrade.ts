import { Flags } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	durationFlag,
	lockWaitFlag,
	nodeFlag,
	planFlags,
	reportFlag,
	skipFlag,
} from "../src/cli/flags.js";
import { OperatorCommand } from "../src/cli/operator-command.js";
import { withContext } from "../src/operations/open-context.js";
import { rollChecks } from "../src/operations/roll/options.js";
import {
	planUpgrade,
	upgrade,
	upgradeWish,
} from "../src/operations/upgrade/upgrade.js";

export default class Upgrade extends OperatorCommand<typeof Upgrade> {
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
		node: nodeFlag,
		...planFlags,
		"lock-wait": lockWaitFlag,
		skip: skipFlag(rollChecks),
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const { to, node, skip, soak, "dry-run": dryRun } = this.flags;
		const inventory = await this.inventory();
		const question = `Roll ${to} over ${node.length === 0 ? "every node" : node.join(", ")} of ${inventory.name}?`;
		if (!dryRun) this.requireAnswer(question);
		const operating = await this.operating(inventory);
		const options = {
			...{ nodes: node, skip, settings: {}, soakMs: soak },
			lockWaitMs: this.flags["lock-wait"],
			confirm: () => this.confirm(question),
			canary: canaryUse(this.flags),
		};
		if (dryRun) {
			const plan = await withContext(operating, async (context) =>
				planUpgrade(context, await upgradeWish(context, to, options)),
			);
			return this.printPlan(plan, this.flags);
		}
		const report = await withContext(operating, async (context) =>
			upgrade(context, await upgradeWish(context, to, options), options),
		);
		const { rollText } = await import("../src/cli/roll-text.js");
		await this.print(report, () => rollText(report));
	}
}
