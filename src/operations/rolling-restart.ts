import type { OperationContext } from "./context.js";
import { rollOperation } from "./roll/operation.js";
import type { RollOptions } from "./roll/options.js";
import type { RollReport } from "./roll/report.js";
import { planOperation, runOperation } from "./run-operation.js";

/**
 * Restarts nodes one after the other, so that neither the quorum nor a request is lost. Refused before anything is
 * touched when the cluster is not whole. On a failure no other node is touched, what is half done is undone, and the
 * error says the state and the one next command.
 */
export async function rollingRestart(
	context: OperationContext,
	{ nodes, skip, settings, ...options }: RollOptions,
): Promise<RollReport> {
	const wish = {
		...{ nodes, skip },
		...(settings === undefined ? {} : { settings }),
	};
	const make = () => rollOperation(wish);
	if (options.dryRun) return unrun(await planOperation(context, make()), skip);
	warnOfSkips(context, skip);
	const report: object = await runOperation(context, make, options);
	return report as RollReport;
}

function unrun(
	plan: Pick<RollReport, "cluster" | "plan">,
	skipped: RollOptions["skip"],
): RollReport {
	return {
		...{ operation: "rolling-restart", ...plan, dryRun: true },
		...{ nodes: [], transfers: [], skipped, durationMs: 0 },
		...{ leaderless: { maxMs: 0, totalMs: 0 }, cost: null },
	};
}

function warnOfSkips(
	{ balancer, emit }: OperationContext,
	skip: RollOptions["skip"],
): void {
	for (const check of skip)
		emit({
			type: "warning",
			node: null,
			message: `the check "${check}" is left out, as asked for by name`,
		});
	if (balancer === null)
		emit({
			type: "warning",
			node: null,
			message:
				"no balancer is configured: clients find the next node by themselves",
		});
}
