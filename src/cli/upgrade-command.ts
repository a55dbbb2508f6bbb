import type { Command } from "@oclif/core";
import type { Inventory } from "../config/inventory.js";
import type { ContextOptions } from "../operations/open-context.js";
import type { PlanReport } from "../operations/plan.js";
import type { RollCheck } from "../operations/roll/options.js";
import type { RollReport } from "../operations/roll/report.js";
import type { UpgradeOptions } from "../operations/upgrade/upgrade.js";
import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	nodeFlag,
	planFlags,
	reportFlag,
	skipFlag,
} from "./flags.js";
import { OperatorCommand } from "./operator-command.js";

/** What every command takes that brings a release to the nodes. */
export function releaseRollFlags(checks: readonly RollCheck[]) {
	return {
		node: nodeFlag,
		...planFlags,
		"lock-wait": lockWaitFlag,
		skip: skipFlag(checks),
		...canaryFlags,
		report: reportFlag,
	};
}

type RollFlags = Parameters<typeof canaryUse>[0] & {
	readonly node: readonly string[];
	readonly skip: readonly RollCheck[];
	readonly "dry-run": boolean;
	readonly "detailed-exitcode": boolean;
	readonly "lock-wait": number;
};

interface ReleaseRoll {
	readonly inventory: Inventory;
	readonly question: string;
	readonly soakMs: number;
	plan(operating: ContextOptions, options: UpgradeOptions): Promise<PlanReport>;
	run(operating: ContextOptions, options: UpgradeOptions): Promise<RollReport>;
}

/** A command that rolls a release over the nodes, forth or back. */
export abstract class UpgradeCommand<
	T extends typeof Command,
> extends OperatorCommand<T> {
	/** Asks the question, rolls, and prints what became of each node; or prints the plan. */
	protected async roll(flags: RollFlags, wish: ReleaseRoll): Promise<void> {
		const { question, soakMs } = wish;
		const { node, skip, "dry-run": dryRun } = flags;
		if (!dryRun) this.requireAnswer(question);
		const operating = await this.operating(wish.inventory);
		const options = {
			...{ nodes: node, skip, settings: {}, soakMs },
			lockWaitMs: flags["lock-wait"],
			confirm: () => this.confirm(question),
			canary: canaryUse(flags),
		};
		if (dryRun)
			return this.printPlan(await wish.plan(operating, options), flags);
		const report = await wish.run(operating, options);
		const { rollText } = await import("./roll-text.js");
		await this.print(report, () => rollText(report));
	}
}
