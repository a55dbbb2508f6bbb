import type { Command } from "@oclif/core";
import type { Inventory } from "../config/inventory.js";
import type { OperationContext } from "../operations/context.js";
import type { RollCheck } from "../operations/roll/options.js";
import type {
	UpgradeOptions,
	upgrading,
} from "../operations/upgrade/upgrade.js";
import {
	canaryFlags,
	canaryUse,
	lockWaitFlag,
	nodeFlag,
	planFlags,
	reportFlag,
	skipFlag,
} from "./flags.js";
import { OperatorCommand, type PlanFlags } from "./operator-command.js";

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

type RollFlags = Parameters<typeof canaryUse>[0] &
	PlanFlags & {
		readonly node: readonly string[];
		readonly skip: readonly RollCheck[];
		readonly "lock-wait": number;
	};

type Wish = Parameters<typeof upgrading.run>[1];

interface ReleaseRoll {
	readonly upgrading: typeof upgrading;
	readonly inventory: Inventory;
	readonly question: string;
	readonly soakMs: number;
	wish(context: OperationContext, options: UpgradeOptions): Promise<Wish>;
}

/** A command that rolls a release over the nodes, forth or back. */
export abstract class UpgradeCommand<
	T extends typeof Command,
> extends OperatorCommand<T> {
	/** Asks the question, rolls, and prints what became of each node; or prints the plan. */
	protected async roll(flags: RollFlags, roll: ReleaseRoll): Promise<void> {
		const { inventory, question, soakMs, upgrading } = roll;
		const options = {
			...{ nodes: flags.node, skip: flags.skip, settings: {}, soakMs },
			lockWaitMs: flags["lock-wait"],
			confirm: () => this.confirm(question),
			canary: canaryUse(flags),
		};
		await this.planOrRun(flags, {
			...{ inventory, question, withContext: upgrading.withContext },
			plan: async (context) =>
				upgrading.plan(context, await roll.wish(context, options)),
			run: async (context) =>
				upgrading.run(context, await roll.wish(context, options), options),
			text: async (report) => (await import("./roll-text.js")).rollText(report),
		});
	}
}
