import { resolve } from "node:path";
import type { RollSettings } from "../../config/inventory.js";
import type { CanaryUse } from "../canary/wish.js";
import type { OperationContext } from "../context.js";
import { withContext } from "../open-context.js";
import type { Operation } from "../operation.js";
import type { Confirm, PlanReport } from "../plan.js";
import { readArchive } from "../releases/archive.js";
import { requireVersion } from "../releases/manifest.js";
import { type RollWish, rollOperation } from "../roll/operation.js";
import type { RollCheck } from "../roll/options.js";
import type { RollOutcome, RollReport } from "../roll/report.js";
import { planOperation, runOperation } from "../run-operation.js";
import { formerReleases } from "./former.js";
import { type UpgradeWish, upgradeGoal } from "./goal.js";

export interface UpgradeOptions {
	/** Ids of the nodes; empty for all. */
	readonly nodes: readonly string[];
	readonly skip: readonly RollCheck[];
	readonly settings: Partial<RollSettings>;
	/** How long the first node has to hold before the next is touched. */
	readonly soakMs: number;
	readonly lockWaitMs: number;
	readonly confirm?: Confirm;
	readonly canary?: CanaryUse;
}

/** As `upgrade` and `upgrade rollback` record it. */
interface RecordedWish extends UpgradeWish, RollWish {
	/** Of the raftctl that began it: what a node without a release runs. */
	readonly ownRelease: string;
}

/** Where the release comes from: an archive of this machine, or a version that the hosts have. */
export async function upgradeWish(
	context: OperationContext,
	to: string,
	options: UpgradeOptions,
): Promise<RecordedWish> {
	const isArchive = to.includes("/") || /\.(tgz|tar\.gz)$/.test(to);
	const local = await context.machines.host("local");
	const archive = isArchive ? resolve(to) : null;
	const version =
		archive === null ? to : (await readArchive(local, archive)).version;
	requireVersion(version, "nothing was touched");
	return {
		...recorded(context, options),
		targets: Object.fromEntries(
			chosen(context, options.nodes).map((id) => [id, version]),
		),
		archive,
		...{ name: "upgrade", text: `upgrade --to ${to}` },
	};
}

/** Each node goes back to what it ran before, or all to `to`. */
export async function rollbackWish(
	context: OperationContext,
	to: string | null,
	options: UpgradeOptions,
): Promise<RecordedWish> {
	const targets =
		to === null
			? await formerReleases(context, options.nodes)
			: Object.fromEntries(
					chosen(context, options.nodes).map((id) => [id, to]),
				);
	return {
		...recorded(context, { ...options, nodes: Object.keys(targets) }),
		...{ targets, archive: null, name: "upgrade rollback" },
		text: `upgrade rollback${to === null ? "" : ` --to ${to}`}`,
	};
}

export function upgradeOperation(wish: RecordedWish): Operation<RollOutcome> {
	const goal = upgradeGoal(wish, wish.ownRelease);
	return { ...rollOperation(wish, goal), arguments: wish };
}

export function upgrade(
	context: OperationContext,
	wish: RecordedWish,
	{ lockWaitMs, confirm, canary }: UpgradeOptions,
): Promise<RollReport> {
	return runOperation(context, () => upgradeOperation(wish), {
		lockWaitMs,
		...(confirm === undefined ? {} : { confirm }),
		...(canary === undefined ? {} : { canary }),
	});
}

export function planUpgrade(
	context: OperationContext,
	wish: RecordedWish,
): Promise<PlanReport> {
	return planOperation(context, upgradeOperation(wish));
}

/** What a command needs of it. */
export const upgrading = { withContext, plan: planUpgrade, run: upgrade };

function recorded(
	{ release }: OperationContext,
	{ nodes, skip, settings, soakMs }: UpgradeOptions,
) {
	return { nodes, skip, settings, soakMs, ownRelease: release };
}

function chosen(
	{ inventory }: OperationContext,
	nodes: readonly string[],
): readonly string[] {
	return nodes.length === 0 ? inventory.nodes.map(({ id }) => id) : nodes;
}
