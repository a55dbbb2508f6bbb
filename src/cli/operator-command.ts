import { hostname, userInfo } from "node:os";
import type { Command } from "@oclif/core";
import type { Inventory } from "../config/inventory.js";
import type { ContextOptions } from "../operations/open-context.js";
import type { PlanReport } from "../operations/plan.js";
import { ClusterCommand } from "./cluster-command.js";

/** A command that operates on the cluster of the cluster file. */
export abstract class OperatorCommand<
	T extends typeof Command,
> extends ClusterCommand<T> {
	/** Prints the result of --dry-run; with --detailed-exitcode the exit code tells whether there is something to do. */
	protected async printPlan(
		report: Pick<PlanReport, "operation" | "cluster" | "plan">,
		flags: { readonly "detailed-exitcode": boolean },
	): Promise<void> {
		const { planText } = await import("./plan-text.js");
		await this.print(report, () => planText(report));
		if (flags["detailed-exitcode"] && report.plan.length > 0)
			this.exitAs("changes");
	}

	/** What an operation is opened with. */
	protected async operating(inventory?: Inventory): Promise<ContextOptions> {
		return {
			inventory: inventory ?? (await this.inventory()),
			programs: this.programs(),
			emit: this.emit,
			signal: this.signal,
			holder: holder(),
			release: this.config.version,
		};
	}
}

/** Who operates, as others see it who wait for the lock. */
function holder(): ContextOptions["holder"] {
	const host = hostname();
	return { holder: `${userName()}@${host}:${process.pid}`, host };
}

/** A container may run as a user that no password file names. */
function userName(): string {
	try {
		return userInfo().username;
	} catch {
		return `uid-${process.getuid?.() ?? "unknown"}`;
	}
}
