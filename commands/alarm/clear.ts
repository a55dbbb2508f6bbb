import { Args, Flags } from "@oclif/core";
import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	planFlags,
	reportFlag,
} from "../../src/cli/flags.js";
import { OperatorCommand } from "../../src/cli/operator-command.js";
import { clearAlarms, planClear } from "../../src/operations/alarms.js";
import { withContext } from "../../src/operations/open-context.js";

export default class AlarmClear extends OperatorCommand<typeof AlarmClear> {
	static override summary = "End alarms about a node that have been seen to.";
	static override description =
		"Mends nothing: an alarm whose cause is still there is raised again. Seldom needed, as reset-node, remove-node and replace-node end the alarms about a node themselves. That a voter's log went back cannot be cleared: the node has forgotten what it acknowledged, and has to be reset. Does nothing where no alarm stands.";
	static override examples = [
		"<%= config.bin %> alarm clear n2 --dry-run",
		"<%= config.bin %> alarm clear n2 --kind state-differs --yes",
	];
	static override args = {
		node: Args.string({
			required: true,
			description: "The node that the alarms are about.",
		}),
	};
	static override flags = {
		kind: Flags.string({
			helpValue: "<kind>",
			summary: "Only alarms of this kind; by default all of the node.",
		}),
		...planFlags,
		"lock-wait": lockWaitFlag,
		...canaryFlags,
		report: reportFlag,
	};

	async run(): Promise<void> {
		const { kind = null } = this.flags;
		const wish = { node: this.args.node, kind };
		const question = `End ${kind === null ? "every alarm" : `the alarm ${kind}`} about ${wish.node}?`;
		await this.planOrRun(this.flags, {
			withContext,
			question,
			plan: (context) => planClear(context, wish),
			run: (context) =>
				clearAlarms(context, {
					...{ ...wish, lockWaitMs: this.flags["lock-wait"] },
					canary: canaryUse(this.flags),
					confirm: () => this.confirm(question),
				}),
			async text(report) {
				const { clearedText } = await import("../../src/cli/alarms-text.js");
				return clearedText(wish.node, report);
			},
		});
	}
}
