import { hostname } from "node:os";
import type { Command } from "@oclif/core";
import type { Inventory } from "../config/inventory.js";
import { reasonOf } from "../errors.js";
import type { OperationContext } from "../operations/context.js";
import type { OperationCost } from "../operations/cost/cost.js";
import type {
	ContextOptions,
	withContext,
} from "../operations/open-context.js";
import type { PlanReport } from "../operations/plan.js";
import { ClusterCommand } from "./cluster-command.js";
import type { ReportFile } from "./report-file.js";
import type { Outcome } from "./report-story.js";
import { sshSurroundings } from "./ssh-surroundings.js";
import { userName } from "./user-name.js";

/** As `planFlags` has them. */
export interface PlanFlags {
	readonly "dry-run": boolean;
	readonly "detailed-exitcode": boolean;
}

/** How operations are given their surroundings; commands bring it, as this room only looks at them. */
export type WithContext = typeof withContext;

type Planned = Pick<PlanReport, "operation" | "cluster" | "plan" | "soFar">;

interface Course<Report extends object> {
	/** Where the command has read it already. */
	readonly inventory?: Inventory | undefined;
	/** Somebody has to be there who can answer it, or --yes; `run` asks it. */
	readonly question?: string;
	readonly withContext: WithContext;
	plan(context: OperationContext): Promise<Planned>;
	run(context: OperationContext): Promise<Report>;
	text(report: Report): string | Promise<string>;
}

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

	/** With --dry-run prints the plan; else asks, does it, and prints what it says. Returns null for a plan. */
	protected async planOrRun<Report extends object>(
		flags: PlanFlags,
		course: Course<Report>,
	): Promise<Report | null> {
		const { inventory, plan, question, run, text, withContext } = course;
		const operating = await this.operating(inventory);
		if (flags["dry-run"]) {
			await this.#printPlan(await withContext(operating, plan), flags);
			return null;
		}
		if (question !== undefined) this.requireAnswer(question);
		const report = await withContext(operating, run);
		const words = await text(report);
		await this.print(report, () => words);
		return report;
	}

	/** Prints the result of --dry-run; with --detailed-exitcode the exit code tells whether there is something to do. */
	async #printPlan(report: Planned, flags: PlanFlags): Promise<void> {
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
