import { dirname } from "node:path";
import type { NodeEntry } from "../../config/inventory.js";
import { OperatorError } from "../../errors.js";
import type { OperationContext } from "../context.js";
import { doOn, isThere } from "../host-files.js";
import type { Step } from "../steps/step.js";
import { copiesOn, hostsOf, passesHere, tidyStep } from "./copies.js";
import { discardMade } from "./discard.js";
import { requireDown } from "./down.js";
import { diskOf, type NewCluster, nodesOf, sourcePath } from "./new-cluster.js";
import type { Birth } from "./new-cluster-steps.js";
import {
	askRaftd,
	copyTo,
	type FileManifest,
	manifestOf,
} from "./raftd-files.js";
import { bestOf, type Holding, onDisk } from "./survey.js";

/** The file that the new cluster comes from, wherever it is; null before it was made. */
export async function fileOf(
	context: OperationContext,
	cluster: NewCluster,
): Promise<FileManifest | null> {
	for (const name of hostsOf(context, cluster)) {
		const path = sourcePath(context, cluster, name);
		const host = await context.machines.host(name);
		if (await isThere(host, path)) return manifestOf(context, host, path);
	}
	return null;
}

/** All that the best survivor has, to the last entry of its log, as a file on every host. It stays. */
export function exportSteps(birth: Birth, proposed: string): readonly Step[] {
	const { run, cluster } = birth;
	const { context } = run;
	const pathOn = (name: string) => sourcePath(context, cluster, name);
	const names = hostsOf(context, cluster);
	return [
		exportStep(birth, proposed),
		...(names.length < 2 ? [] : names).map((name) => ({
			...{ id: `${name}/copy`, node: null, title: `copy the file to ${name}` },
			cost: `room for the state in ${pathOn(name)}`,
			async isDone() {
				const host = await context.machines.host(name);
				return (await isThere(host, pathOn(name))) ? "it is there" : null;
			},
			async run(signal: AbortSignal) {
				const file = await broughtHere(context, cluster, signal);
				const host = await context.machines.host(name);
				await copyTo(context, host, { file, path: pathOn(name) });
				return null;
			},
		})),
		...(passesHere(names) ? [tidyStep(context, cluster)] : []),
	];
}

/** Two hosts need not reach each other: from one to the next it comes by way of this machine. Returns where it is then. */
async function broughtHere(
	context: OperationContext,
	cluster: NewCluster,
	signal: AbortSignal,
): Promise<string> {
	const here = sourcePath(context, cluster, "local");
	for (const name of hostsOf(context, cluster)) {
		const host = await context.machines.host(name);
		const path = sourcePath(context, cluster, name);
		if (name === "local" && (await isThere(host, path))) return path;
		if (name === "local") continue;
		if ((await host.fetch(path, here, { signal })) !== null) return here;
	}
	throw new OperatorError("unexpected", "the exported file is gone");
}

function exportStep(
	{ run, cluster, requireOutOfService }: Birth,
	proposed: string,
): Step {
	const { context } = run;
	const [likely] = nodesOf(context, [proposed]);
	const expected = sourcePath(context, cluster, likely?.host ?? "local");
	return {
		...{ id: "cluster/export", node: null },
		title: `write all that ${proposed} has into a file`,
		cost: `room for the state in ${expected}`,
		async isDone() {
			const file = await fileOf(context, cluster);
			if (file === null) return null;
			const newer = await newerThan(context, cluster, file);
			return newer === null ? "it is there" : null;
		},
		async guard() {
			await requireDown(context, nodesOf(context, cluster.touched));
			await requireOutOfService();
			await run.lock.requireFresh();
		},
		async run() {
			const old = await fileOf(context, cluster);
			if (old !== null) await dropOld(context, cluster, old);
			const node = await bestNow(context, cluster);
			if (node.id !== proposed)
				context.emit({
					...{ type: "warning", node: node.id },
					message: `${node.id} has more than ${proposed}, now that all are down: it is taken instead`,
				});
			const host = await context.machines.host(node.host);
			const path = sourcePath(context, cluster, node.host);
			await doOn(host, ["mkdir", "-p", "-m", "700", dirname(path)], {
				about: node.id,
			});
			const words = ["--data-dir", node.dataDirectory, "--out", path];
			const { manifest } = await askRaftd<{ readonly manifest: FileManifest }>(
				context,
				host,
				{ words: ["snapshot", "export", ...words], takesMachine: true },
			);
			return `${node.id} up to index ${manifest.index}, in ${path}`;
		},
	};
}

/**
 * What has more than the file of an earlier attempt: nodes that were lost came back since, and served. Null once data was
 * moved, as no node could start any more.
 */
async function newerThan(
	context: OperationContext,
	cluster: NewCluster,
	file: FileManifest,
): Promise<Holding | null> {
	const nodes = nodesOf(context, cluster.touched);
	const disks = await Promise.all(
		nodes.map((node) => diskOf(context, node, cluster)),
	);
	if (disks.some(({ data, isAside }) => data === "new" || isAside)) return null;
	const best = bestOf(
		await Promise.all(nodes.map((node) => onDisk(context, node))),
	);
	const { lastTerm, lastIndex } = best?.holds ?? { lastTerm: 0, lastIndex: 0 };
	const term = lastTerm ?? 0;
	const isNewer =
		term > file.term || (term === file.term && lastIndex > file.index);
	return isNewer ? best : null;
}

/** The file goes last: as long as one is there, it is seen to be old. */
async function dropOld(
	context: OperationContext,
	cluster: NewCluster,
	{ index, term }: FileManifest,
): Promise<void> {
	context.emit({
		...{ type: "warning", node: null },
		message: `the nodes hold more than what was exported before (up to index ${index} of term ${term}): they ran in between. It is exported anew`,
	});
	for (const node of nodesOf(context, cluster.chosen))
		await discardMade(context, node, cluster);
	for (const name of hostsOf(context, cluster)) {
		const host = await context.machines.host(name);
		for (const path of await copiesOn(context, cluster, name))
			await doOn(host, ["rm", "-f", path], { about: name });
	}
}

/** From the disks alone: while a node ran, it did not say the term of its last entry. */
async function bestNow(
	context: OperationContext,
	cluster: NewCluster,
): Promise<NodeEntry> {
	const nodes = nodesOf(context, cluster.touched);
	const best = bestOf(
		await Promise.all(nodes.map((node) => onDisk(context, node))),
	);
	const node = nodes.find(({ id }) => id === best?.node);
	if (node !== undefined) return node;
	throw new OperatorError(
		"refused",
		"no node has data that can be recovered from any more",
	);
}
