import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	planFlags,
	reportFlag,
	skipFlag,
} from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { withContext } from "../../src/operations/open-context.js";
import {
	finalizeUpgrade,
	planFinalize,
} from "../../src/operations/upgrade/finalize.js";

export default class UpgradeFinalize extends OperatorCommand<
	typeof UpgradeFinalize
> {
	static override summary = "Let the nodes write what the new release reads.";
	static override description =
		"Phase two of an upgrade. Refused until every member, asked just now, reads the new level; says who does not. From then on an older release is refused at its start and at joining, with the release it needs, and there is no rollback.";
	static override examples = [
		"<%= config.bin %> upgrade finalize --dry-run",
		"<%= config.bin %> upgrade finalize --yes --lock-wait 15m",
	];
	static override flags = {
		...planFlags,
		"lock-wait": lockWaitFlag,
		skip: skipFlag(["snapshot"]),
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const inventory = await this.inventory();
		const wish = { skip: this.flags.skip };
		const question = `Let ${inventory.name} write what older releases cannot read?`;
		await this.planOrRun(this.flags, {
			withContext,
			...{ inventory, question },
			plan: (context) => planFinalize(context, wish),
			run: (context) =>
				finalizeUpgrade(context, wish, {
					lockWaitMs: this.flags["lock-wait"],
					canary: canaryUse(this.flags),
					confirm: () => this.confirm(question),
				}),
			text: ({ cluster, level }) => `${cluster} writes level ${level}`,
		});
	}
}
