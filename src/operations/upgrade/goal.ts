import type { NodeStatus } from "../../cluster/engine.js";
import { statusOf } from "../../cluster/facts.js";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import { lookAtCluster, type OperationContext } from "../context.js";
import { configuredRelease } from "../node-service.js";
import type { Run } from "../operation.js";
import { readArchive } from "../releases/archive.js";
import { giveRelease } from "../releases/give-release.js";
import { currentRelease, installedRelease } from "../releases/installed.js";
import type { ReleaseManifest } from "../releases/manifest.js";
import { shipStep } from "../releases/ship-step.js";
import type { RollCheck } from "../roll/options.js";
import type { RollGoal } from "../roll/roll.js";
import { safetySnapshotStep } from "../steps/safety-snapshot.js";
import type { Step } from "../steps/step.js";
import { releaseFaults } from "./admission.js";

/** Which release each node is to run; null: what came with this raftctl. */
export type Targets = Readonly<Record<string, string | null>>;

export interface UpgradeWish {
	readonly targets: Targets;
	/** Of this machine; null where the hosts have the release. */
	readonly archive: string | null;
	/** As the user would have typed it. */
	readonly text: string;
	readonly name: "upgrade" | "upgrade rollback";
	readonly soakMs: number;
	readonly skip: readonly RollCheck[];
}

interface UpgradeMemo {
	/** Which release each node ran before; what `upgrade rollback` goes back to. */
	readonly releases: Targets;
}

/** Each node is to run its target. Finished when its own word says so, whatever links and files say. */
export function upgradeGoal(wish: UpgradeWish, ownRelease: string): RollGoal {
	const { targets, name, text, soakMs } = wish;
	return {
		...{ name, text, soakMs },
		async prepare(context, facts, chosen) {
			const releases = await targetReleases(context, wish, chosen);
			const problems = releaseFaults(facts, releases);
			if (problems.length > 0) throw unfit(text, problems);
			return { releases: await presentReleases(context, chosen) };
		},
		before: async (run, nodes) => [
			...shipSteps(run.context, wish, nodes),
			...snapshotSteps(run, wish, ownRelease),
		],
		isToCome: (status, { id }) => !runs(status, targets[id] ?? ownRelease),
		configure: (context, node, how) =>
			giveRelease(context, node, {
				...how,
				version: targets[node.id] ?? null,
			}),
		isConfigured: (context, node) =>
			startsWith(context, node, targets[node.id] ?? null),
		former: {
			isNext: (context, node, memo) =>
				startsWith(context, node, formerOf(node, memo)),
			async giveBack(context, node, memo) {
				const version = formerOf(node, memo);
				await giveRelease(context, node, { version });
				return version ?? ownRelease;
			},
		},
	};
}

function formerOf({ id }: NodeEntry, memo: object): string | null {
	return (memo as UpgradeMemo).releases[id] ?? null;
}

function runs(status: NodeStatus | null, release: string): boolean {
	return status?.release === release;
}

/** By its link, which decides, and by its configuration: who was killed between the two left them apart. */
async function startsWith(
	context: OperationContext,
	node: NodeEntry,
	version: string | null,
): Promise<boolean> {
	const next = await currentRelease(context, node);
	if ((next?.version ?? null) !== version) return false;
	const named = await configuredRelease(context, node);
	return named === undefined || named === version;
}

/** What each node is to run, by what the release says of itself; null for what came with this raftctl. */
async function targetReleases(
	context: OperationContext,
	{ targets, archive }: UpgradeWish,
	chosen: readonly NodeEntry[],
): Promise<ReadonlyMap<string, ReleaseManifest | null>> {
	const offered =
		archive === null
			? null
			: await readArchive(await context.machines.host("local"), archive);
	const found = await Promise.all(
		chosen.map(async (node) => {
			const version = targets[node.id] ?? null;
			if (version === null || offered?.version === version)
				return [node.id, version === null ? null : offered] as const;
			const there = await installedRelease(context, node.host, version);
			if (there === null) throw absent(node, version);
			return [node.id, there] as const;
		}),
	);
	return new Map(found);
}

async function presentReleases(
	context: OperationContext,
	nodes: readonly NodeEntry[],
): Promise<Targets> {
	const found = await Promise.all(
		nodes.map(async (node) => {
			const release = await currentRelease(context, node);
			return [node.id, release?.version ?? null] as const;
		}),
	);
	return Object.fromEntries(found);
}

/** All hosts have it before any node is touched. */
function shipSteps(
	context: OperationContext,
	{ targets, archive }: UpgradeWish,
	nodes: readonly NodeEntry[],
): readonly Step[] {
	const version = targets[nodes[0]?.id ?? ""] ?? null;
	if (archive === null || version === null) return [];
	const hosts = [...new Set(nodes.map(({ host }) => host))];
	return [shipStep(context, { hosts, version, archive })];
}

/** What is new may damage what it reads; the state of this moment stays on a disk. */
function snapshotSteps(
	{ context, lock }: Run,
	{ targets, skip }: UpgradeWish,
	ownRelease: string,
): readonly Step[] {
	if (skip.includes("snapshot")) return [];
	const step = safetySnapshotStep(context, lock, {
		without: [],
		async isPast() {
			const facts = await lookAtCluster(context, lock.signal);
			const [first] = Object.keys(targets).filter((id) =>
				runs(statusOf(facts, id), targets[id] ?? ownRelease),
			);
			return first === undefined ? null : `${first} runs it already`;
		},
		taken: () => {},
	});
	return [step];
}

function absent({ id, host }: NodeEntry, version: string): OperatorError {
	return new OperatorError(
		"refused",
		`the release ${version} is not on ${host}`,
		{
			node: id,
			state: "nothing was touched",
			next: "give its archive: --to PATH",
		},
	);
}

function unfit(text: string, problems: readonly string[]): OperatorError {
	return new OperatorError(
		"refused",
		`${text} would leave nodes that cannot take part`,
		{
			problems,
			state: "nothing was touched",
			next: "build the release of a version that reads what the cluster writes",
		},
	);
}
