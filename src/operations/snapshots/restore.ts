import { OperatorError } from "../../errors.js";
import { commandFor, type OperationContext } from "../context.js";
import { doOn, isThere } from "../host-files.js";
import { onHosts } from "../journal/host-journal.js";
import type { Operation, Run } from "../operation.js";
import { copiesOn } from "../recover/copies.js";
import { requireDown, requireSilent } from "../recover/down.js";
import { giveUpSteps } from "../recover/give-up-steps.js";
import {
	diskOf,
	holdsData,
	type NewCluster,
	newCluster,
	nodesOf,
	reachableNodes,
	requireChoice,
	sourcePath,
} from "../recover/new-cluster.js";
import { failureOf } from "../recover/new-cluster-failure.js";
import {
	type NewClusterReport,
	newClusterReport,
} from "../recover/new-cluster-report.js";
import {
	type Birth,
	birthSteps,
	type Tally,
} from "../recover/new-cluster-steps.js";
import {
	copyTo,
	type FileManifest,
	manifestOf,
} from "../recover/raftd-files.js";
import { begunWords } from "../recover/refusal-words.js";
import type { Step } from "../steps/step.js";
import { isForeign, requireOwn, verifiedManifest } from "./restore-file.js";

export interface RestoreWish {
	/** Absolute, on the operator's machine. */
	readonly file: string;
	/** None: every node of the cluster file, learners, too. */
	readonly nodes: readonly string[];
	/** The cluster's name was typed: data that is there may be moved aside. */
	readonly erase: boolean;
	/** The id of another cluster, whose file this may be; null: this cluster's alone. */
	readonly foreign: string | null;
}

export interface RestoreReport extends NewClusterReport {
	readonly file: string;
	/** What the file was. */
	readonly from: Pick<FileManifest, "clusterId" | "index" | "term">;
}

interface Memo {
	readonly cluster: NewCluster;
	readonly manifest: FileManifest;
}

/**
 * Makes a new cluster of a snapshot's file, on nodes that are down. Made for several runs, which check the file's every
 * byte once.
 */
export function restore(wish: RestoreWish): () => Operation<RestoreReport> {
	const seen: Seen = { manifest: null, cluster: null };
	return () => restoreOnce(wish, seen);
}

/** By an earlier run of the same wish. */
interface Seen {
	manifest: FileManifest | null;
	cluster: NewCluster | null;
}

function restoreOnce(wish: RestoreWish, seen: Seen): Operation<RestoreReport> {
	const tally: Tally = {
		...{ isMoved: false, fileChanged: false, verified: null },
		...{ notes: [], unconfirmed: [] },
	};
	const birthOf = (run: Run): Birth => {
		const { cluster, manifest } = run.memo as Memo;
		const { context } = run;
		const others = context.inventory.nodes.filter(
			({ id }) => !cluster.touched.includes(id),
		);
		return {
			...{ run, cluster, tally, fromIndex: async () => manifest.index },
			// Their hosts may have come back meanwhile, with nodes that serve.
			requireOutOfService: () =>
				requireSilent(context, others, begunWords(context)),
		};
	};
	return {
		name: "snapshot restore",
		text: [
			...["snapshot restore", wish.file, ...wish.nodes.map(nodeFlag)],
			...(wish.foreign === null ? [] : [`--foreign ${wish.foreign}`]),
		].join(" "),
		...{ arguments: wish, skip: [], keeping: onHosts },
		async prepare(context): Promise<Memo> {
			const reachable = await reachableNodes(context);
			const chosen =
				wish.nodes.length > 0
					? wish.nodes
					: context.inventory.nodes.map(({ id }) => id);
			requireChoice(context, chosen, reachable);
			await requireDown(context, reachable);
			await requireSilent(
				context,
				context.inventory.nodes.filter((node) => !reachable.includes(node)),
				{
					state: "nothing was touched",
					next: "then give the command again",
				},
			);
			if (!wish.erase) await requireNoData(context);
			const touched = reachable.map(({ id }) => id);
			const { file } = wish;
			seen.manifest = await verifiedManifest(context, file, seen.manifest);
			requireOwn(context, wish, seen.manifest);
			seen.cluster = newCluster(context, {
				...{ word: "restore", chosen, touched, shown: seen.cluster },
			});
			return { cluster: seen.cluster, manifest: seen.manifest };
		},
		async steps(run) {
			const birth = birthOf(run);
			return [
				...copySteps(birth, wish.file),
				...birthSteps(birth),
				tidyStep(birth),
			];
		},
		async abortSteps(run) {
			const birth = birthOf(run);
			return [...(await giveUpSteps(birth)), tidyStep(birth)];
		},
		async report(run): Promise<RestoreReport> {
			const { cluster, manifest } = run.memo as Memo;
			const { clusterId, index, term } = manifest;
			return {
				...{ file: wish.file, from: { clusterId, index, term } },
				...(await newClusterReport(run.context, cluster, tally)),
			};
		},
		failure: (run, cause) => failureOf(run, tally, cause),
	};
}

function nodeFlag(id: string): string {
	return `--node ${id}`;
}

/** The nodes of the cluster file that have data. */
export async function nodesWithData(
	context: OperationContext,
): Promise<readonly string[]> {
	const nodes = await reachableNodes(context);
	const held = await Promise.all(nodes.map((node) => holdsData(context, node)));
	return nodes.filter((_, at) => held[at]).map(({ id }) => id);
}

async function requireNoData(context: OperationContext): Promise<void> {
	const found = await nodesWithData(context);
	if (found.length === 0) return;
	const { name, nodes } = context.inventory;
	throw new OperatorError(
		"refused",
		`there is data of a cluster on ${found.join(", ")}: it would not be served any more`,
		{
			problems: nodes
				.filter(({ id }) => found.includes(id))
				.map(({ id, dataDirectory }) => `${id} has data in ${dataDirectory}`),
			state: "nothing was touched",
			next: `to move it aside, and remove nothing, type the cluster's name: ${commandFor(context, `snapshot restore --erase ${name} FILE`)}`,
		},
	);
}

/** One for each host: what is restored everywhere is one file, whatever becomes of the given one meanwhile. */
function copySteps({ run, cluster }: Birth, file: string): readonly Step[] {
	const { context } = run;
	const pathOn = (name: string) => sourcePath(context, cluster, name);
	const { manifest } = run.memo as Memo;
	const nodes = nodesOf(context, cluster.chosen);
	// The cluster file may have the new id by now.
	const before = { ...context.inventory, id: cluster.oldClusterId };
	const what = isForeign(before, manifest)
		? `the file, of another cluster, ${manifest.clusterId},`
		: "the file";
	return [...new Set(nodes.map(({ host }) => host))].map((name) => ({
		...{ id: `${name}/copy`, node: null, title: `copy ${what} to ${name}` },
		cost: `${manifest.fileBytes} bytes in ${pathOn(name)}`,
		async isDone() {
			const path = pathOn(name);
			const host = await context.machines.host(name);
			if (await isThere(host, path)) return "it is there";
			const there = nodes.filter((node) => node.host === name);
			const disks = await Promise.all(
				there.map((node) => diskOf(context, node, cluster)),
			);
			return disks.every(({ data, isPrepared }) => data === "new" || isPrepared)
				? "every node there has its data"
				: null;
		},
		async run() {
			const path = pathOn(name);
			const host = await context.machines.host(name);
			await copyTo(context, host, { file, path });
			const copied = await manifestOf(context, host, path);
			if (copied.id === manifest.id) return null;
			await host.run(["rm", "-f", path], { timeoutMs: 30_000 });
			throw new OperatorError(
				"refused",
				`${file} is not the file any more that was checked`,
				{ state: "nothing was touched" },
			);
		},
		async undo() {
			const host = await context.machines.host(name);
			await doOn(host, ["rm", "-f", pathOn(name)], { about: name });
		},
	}));
}

/** The copies are as good as the file, which the operator has. */
function tidyStep({ run, cluster }: Birth): Step {
	const { context } = run;
	const copiesThere = (name: string) => copiesOn(context, cluster, name);
	const nodes = nodesOf(context, cluster.chosen);
	const names = [...new Set(nodes.map(({ host }) => host))];
	return {
		...{ id: "cluster/tidy", node: null, cost: "", looks: true },
		title: "remove the copies of the file",
		async isDone() {
			const found = await Promise.all(names.map(copiesThere));
			const disks = await Promise.all(
				nodes.map((node) => diskOf(context, node, cluster)),
			);
			const isBorn = disks.every(({ data }) => data === "new");
			// Before that there are some to come.
			return isBorn && found.flat().length === 0 ? "there are none" : null;
		},
		async run() {
			for (const name of names) {
				const host = await context.machines.host(name);
				for (const path of await copiesThere(name))
					await doOn(host, ["rm", "-f", path], { about: name });
			}
			return null;
		},
	};
}
