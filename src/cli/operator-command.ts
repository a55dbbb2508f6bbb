import { hostname } from "node:os";
import type { Command } from "@oclif/core";
import type { Inventory } from "../config/inventory.js";
import { reasonOf } from "../errors.js";
import type { OperationCost } from "../operations/cost/cost.js";
import type { ContextOptions } from "../operations/open-context.js";
import type { PlanReport } from "../operations/plan.js";
import { ClusterCommand } from "./cluster-command.js";
import type { ReportFile } from "./report-file.js";
import type { Outcome } from "./report-story.js";
import { sshSurroundings } from "./ssh-surroundings.js";
import { userName } from "./user-name.js";

/** A command that operates on the cluster of the cluster file. */
export abstract class OperatorCommand<
	T extends typeof Command,
> extends ClusterCommand<T> {
	#report: ReportFile | null = null;

	override async init(): Promise<void> {
		await super.init();
		const flags: Readonly<Record<string, unknown>> = this.flags;
		const { report } = flags;
		if (typeof report !== "string" || flags["dry-run"] === true) return;
		const { ReportFile } = await import("./report-file.js");
		this.#report = await ReportFile.open(report, this.id ?? "");
	}

	/** Prints a result; one that cost more than it may fails the command all the same. */
	protected override print(
		result: object,
		tableText: () => string,
	): Promise<void> {
		if (costOf(result)?.overBudget) this.exitAs("partial");
		return super.print(result, tableText);
	}

	protected override async finally(error: Error | undefined): Promise<void> {
		await this.#endReport(error);
		await super.finally(error);
	}

	/** Prints the result of --dry-run; with --detailed-exitcode the exit code tells whether there is something to do. */
	protected async printPlan(
		report: Pick<PlanReport, "operation" | "cluster" | "plan" | "soFar">,
		flags: { readonly "detailed-exitcode": boolean },
	): Promise<void> {
		const { planText } = await import("./plan-text.js");
		await this.print(report, () => planText(report));
		if (flags["detailed-exitcode"] && report.plan.length > 0)
			this.exitAs("changes");
	}

	/** What was done is done: a report that cannot be written any more is a warning. */
	async #endReport(error: Error | undefined): Promise<void> {
		if (this.#report === null) return;
		const { failureReport } = await import("./failure.js");
		const outcome: Outcome =
			error === undefined
				? { how: "done" }
				: { how: "failed", failure: failureReport(error, false) };
		await this.#report.end(outcome).catch((cause: unknown) => {
			const message = `the report could not be written: ${reasonOf(cause)}`;
			this.emit({ type: "warning", node: null, message });
		});
	}

	/** What an operation is opened with. */
	protected async operating(inventory?: Inventory): Promise<ContextOptions> {
		return {
			inventory: inventory ?? (await this.inventory()),
			programs: this.programs(),
			emit: (event) => {
				this.#report?.observe(event);
				this.emit(event);
			},
			signal: this.signal,
			holder: holder(),
			release: this.config.version,
			ssh: sshSurroundings(() => this.drawNothing()),
		};
	}
}

function costOf(result: object): OperationCost | null {
	return (result as { readonly cost?: OperationCost }).cost ?? null;
}

/** Who operates, as others see it who wait for the lock. */
function holder(): ContextOptions["holder"] {
	const host = hostname();
	return { holder: `${userName()}@${host}:${process.pid}`, host };
}
