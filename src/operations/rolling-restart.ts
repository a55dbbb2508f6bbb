import type { OperationContext } from "./context.js";
import { type RollWish, rollOperation } from "./roll/operation.js";
import type { RollOptions } from "./roll/options.js";
import type { RollReport } from "./roll/report.js";
import { planOperation, runOperation } from "./run-operation.js";

/**
 * Restarts nodes one after the other, so that neither the quorum nor a request is lost. Refused before anything is
 * touched when the cluster is not whole. On a failure no other node is touched, what is half done is undone, and the
 * error says the state and the one next command.
 */
export function rollingRestart(
	context: OperationContext,
	{ nodes, skip, settings, ...options }: RollOptions,
): Promise<RollReport> {
	warnOfSkips(context, skip);
	const wish = rollWish({ nodes, skip, settings });
	return runOperation(context, () => rollOperation(wish), options);
}

/** What `rollingRestart` would do now, or the refusal it would end with. Touches nothing. */
export async function planRollingRestart(
	context: OperationContext,
	wish: Pick<RollOptions, "nodes" | "skip" | "settings">,
): Promise<RollReport> {
	const plan = await planOperation(context, rollOperation(rollWish(wish)));
	return {
		...{ ...plan, nodes: [], transfers: [], skipped: wish.skip },
		...{ durationMs: 0, leaderless: { maxMs: 0, totalMs: 0 }, cost: null },
	};
}

/** JSON has no undefined. */
function rollWish({
	settings,
	...wish
}: Pick<RollOptions, "nodes" | "skip"> & {
	readonly settings?: RollOptions["settings"] | undefined;
}): RollWish {
	return { ...wish, ...(settings === undefined ? {} : { settings }) };
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
